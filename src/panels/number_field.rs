//! A number and a button that gives a command with it.

use super::Ui;
use crate::text::Label;
use sim::Command;
use std::ops::RangeInclusive;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct NumberFieldProps {
    pub(super) ui: Ui,
    pub(super) label: Label,
    pub(super) button: Label,
    /// What the button does, for tests.
    pub(super) code: &'static str,
    pub(super) usual: i32,
    pub(super) least: i32,
    pub(super) most: i32,
    /// The command that a number makes.
    pub(super) command: Callback<i64, Command>,
}

#[component]
pub(super) fn NumberField(props: &NumberFieldProps) -> Html {
    let NumberFieldProps { ui, label, button, code, usual, least, most, command } = props;
    let number = use_state(|| Some(*usual));
    let oninput = {
        let (number, limits) = (number.clone(), *least..=*most);
        Callback::from(move |event: InputEvent| {
            number.set(typed_number(&event.target_unchecked_into::<HtmlInputElement>().value(), &limits));
        })
    };
    let onsubmit = {
        let (player, number, command) = (ui.player.clone(), *number, command.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(number) = number {
                // A refusal is on the screen already.
                player.command(command.emit(i64::from(number))).map(drop).unwrap_or_default();
            }
        })
    };
    html! {
        <form class="number-field" {onsubmit}>
            <label><span>{ ui.say(*label) }</span>
                <input type="number" value={usual.to_string()} min={least.to_string()} max={most.to_string()} {oninput} />
            </label>
            <button disabled={number.is_none()} data-action={*code}>{ ui.say(*button) }</button>
        </form>
    }
}

/// What was typed, if it is a number within the limits.
fn typed_number(typed: &str, limits: &RangeInclusive<i32>) -> Option<i32> {
    typed.parse().ok().filter(|number| limits.contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_within_the_limits_count() {
        for text in ["", "-", "1e3", "1.5", " 7", "0", "11", "-3", "99999999999999999999", "７", "NaN", "7\u{0}"] {
            assert_eq!(typed_number(text, &(1..=10)), None, "{text}");
        }
        assert_eq!(["1", "+7", "007"].map(|text| typed_number(text, &(1..=10))), [Some(1), Some(7), Some(7)]);
    }
}
