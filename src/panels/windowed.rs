//! A long list of which only the visible part is in the document.

use std::ops::Range;
use web_sys::Element;
use yew::prelude::{Callback, Html, Properties, component, html, use_node_ref, use_state};

#[derive(Properties, PartialEq)]
pub(super) struct WindowedProps {
    pub(super) count: usize,
    /// In CSS pixels.
    pub(super) row_height: u32,
    /// What the list is called, for who hears it.
    pub(super) label: &'static str,
    /// The list's name in the style sheet and in tests.
    pub(super) code: &'static str,
    /// Makes the rows at these places.
    pub(super) rows: Callback<Range<usize>, Vec<Html>>,
}

#[component]
pub(super) fn Windowed(props: &WindowedProps) -> Html {
    /// More than any screen shows of such a list.
    const ROWS: usize = 40;
    const SPARE: usize = 4;
    let WindowedProps { count, row_height, label, code, rows } = props;
    let list = use_node_ref();
    let first = use_state(|| 0_usize);
    let onscroll = {
        let (list, first, height) = (list.clone(), first.clone(), *row_height);
        Callback::from(move |_: yew::Event| {
            if let Some(list) = list.cast::<Element>() {
                let top = u32::try_from(list.scroll_top()).unwrap_or(0);
                first.set(((top / height) as usize).saturating_sub(SPARE));
            }
        })
    };
    let start = (*first).min(count.saturating_sub(1));
    let visible = rows.emit(start..(start + ROWS).min(*count));
    let place = |index: usize| format!("top: {}px; height: {row_height}px", (start + index) as u32 * row_height);
    html! {
        <div class={format!("windowed {code}")} ref={list} {onscroll} tabindex="0" role="region" aria-label={*label}>
            <ol style={format!("height: {}px", *count as u32 * row_height)} data-testid={*code} data-count={count.to_string()}>
                { for visible.into_iter().enumerate().map(|(index, row)| html! { <li style={place(index)}>{ row }</li> }) }
            </ol>
        </div>
    }
}
