//! Says once that a new history began, or that a command or a wish in the address was refused.

use super::UiProps;
use crate::player::{Notice, NoticeKind};
use crate::text::{Label, Message};
use yew::prelude::*;

#[component]
pub(crate) fn NoticeBar(props: &UiProps) -> Html {
    let ui = &props.ui;
    let notice = ui.snapshot.notice.as_ref();
    let (class, text) = match notice {
        None => ("notice empty", String::new()),
        Some(Notice { kind: NoticeKind::Refused(error), .. }) => ("notice refused", ui.tell(&Message::Refused(error))),
        Some(Notice { kind: NoticeKind::BadWish(wish), .. }) => ("notice refused", ui.tell(&Message::BadWish(wish))),
        Some(Notice { kind: NoticeKind::NewHistory { branch, at }, .. }) => {
            ("notice", ui.tell(&Message::NewHistory { branch: *branch, at: *at }))
        }
    };
    html! {
        <div {class} role="status" aria-live="polite" data-testid="notice">
            <span>{ text }</span>
            if notice.is_some() {
                <button onclick={ui.on_player(|player| player.dismiss_notice())}>{ ui.say(Label::Close) }</button>
            }
        </div>
    }
}
