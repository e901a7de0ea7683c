//! The terminal: a log of what was run and printed, and a plain input line, so that every input method works.
//!
//! What the tools do is in the `shell` crate. What lies ahead of the instant shown is not shown.

use crate::panels::{Ui, UiProps};
use crate::text::Label;
use shell::output::{Line, Stream};
use shell::terminal::{Entry, Key};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

/// Only the newest lines are in the document.
const LINES_SHOWN: usize = 300;

/// What a beginner may type first; shown where nothing is typed yet.
const EXAMPLE: &str = "kafka-topics --list --bootstrap-server localhost:9092";

#[component]
pub(crate) fn TerminalPanel(props: &UiProps) -> Html {
    let ui = &props.ui;
    let entries = ui.player.terminal_entries();
    let draft = use_state(String::new);
    // How many lines back in the history the draft was taken from.
    let recalled = use_state(|| 0_usize);
    let output = use_node_ref();
    let line_count: usize = entries.iter().map(|entry| entry.lines.len() + 1).sum();
    use_effect_with(line_count, {
        let output = output.clone();
        move |_| {
            if let Some(output) = output.cast::<Element>() {
                output.set_scroll_top(output.scroll_height());
            }
        }
    });
    let is_busy = entries.last().is_some_and(|entry| entry.status.is_none());
    let oninput = {
        let draft = draft.clone();
        Callback::from(move |event: InputEvent| draft.set(event.target_unchecked_into::<HtmlInputElement>().value()))
    };
    let onkeydown = on_key(ui, &draft, &recalled);
    html! {
        <>
            <p class="note">{ ui.say(Label::TerminalIntro) }</p>
            <div class="terminal" ref={output} role="log" aria-label={ui.say(Label::TerminalOutput)} tabindex="0" data-testid="terminal-output">
                { for shown_lines(&entries) }
            </div>
            <div class="terminal-input">
                <span class="prompt" aria-hidden="true">{ prompt(&entries) }</span>
                <input id="terminal-input" value={(*draft).clone()} {oninput} {onkeydown} aria-label={ui.say(Label::TerminalInput)}
                    autocomplete="off" autocapitalize="off" spellcheck="false" placeholder={entries.is_empty().then_some(EXAMPLE)} />
                { key_button(ui, Label::Interrupt, Key::Interrupt, is_busy) }
                { key_button(ui, Label::CtrlD, Key::EndOfInput, is_busy) }
            </div>
            if is_busy { <p class="note">{ ui.say(if ui.snapshot.is_playing { Label::TerminalBusy } else { Label::TerminalPaused }) }</p> }
        </>
    }
}

fn prompt(entries: &[Entry]) -> &'static str {
    match entries.last() {
        Some(entry) if entry.shows_prompt => ">",
        Some(entry) if entry.status.is_none() => "…",
        Some(_) | None => "$",
    }
}

fn key_button(ui: &Ui, label: Label, key: Key, is_possible: bool) -> Html {
    let onclick = ui.on_player(move |player| player.press(key));
    html! { <button {onclick} disabled={!is_possible}>{ ui.say(label) }</button> }
}

/// The last lines of all that was typed and printed.
fn shown_lines(entries: &[Entry]) -> Vec<Html> {
    let mut lines: Vec<Html> = Vec::new();
    for entry in entries.iter().rev() {
        lines.extend(entry.lines.iter().rev().take(LINES_SHOWN - lines.len().min(LINES_SHOWN)).map(line));
        lines.push(html! { <div class="line command">{ format!("$ {}", entry.command) }</div> });
        if lines.len() >= LINES_SHOWN {
            break;
        }
    }
    lines.reverse();
    lines
}

fn line(line: &Line) -> Html {
    let class = match line.stream {
        Stream::Out => "line out",
        Stream::Err => "line err",
        Stream::Typed => "line typed",
    };
    html! { <div {class}>{ line.text.clone() }</div> }
}

/// Enter runs, arrows recall, Ctrl-C and Ctrl-D reach the command. Keys that compose a Korean letter are left alone.
fn on_key(ui: &Ui, draft: &UseStateHandle<String>, recalled: &UseStateHandle<usize>) -> Callback<KeyboardEvent> {
    let (player, draft, recalled) = (ui.player.clone(), draft.clone(), recalled.clone());
    Callback::from(move |event: KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        match (event.ctrl_key(), event.key().as_str()) {
            (false, "Enter") => {
                player.enter(&draft);
                draft.set(String::new());
                recalled.set(0);
            }
            (false, "ArrowUp") => recall(&player.typed_lines(), *recalled + 1, &draft, &recalled),
            (false, "ArrowDown") => recall(&player.typed_lines(), recalled.saturating_sub(1), &draft, &recalled),
            (true, "c") if !has_selection(&event) => {
                player.press(Key::Interrupt);
                draft.set(String::new());
            }
            (true, "d") if draft.is_empty() => player.press(Key::EndOfInput),
            _ => return,
        }
        event.prevent_default();
    })
}

/// Puts the line so many back into the input; none back is an empty one.
fn recall(typed: &[String], back: usize, draft: &UseStateHandle<String>, recalled: &UseStateHandle<usize>) {
    if back > typed.len() {
        return;
    }
    recalled.set(back);
    draft.set(if back == 0 { String::new() } else { typed[typed.len() - back].clone() });
}

/// Whoever has marked text wants to copy it.
fn has_selection(event: &KeyboardEvent) -> bool {
    let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    input.is_some_and(|input| input.selection_start() != input.selection_end())
}
