//! The page's name, what the user must be told once, and the choices of language and colours.

use super::new_cluster::NewCluster;
use super::notice::NoticeBar;
use super::{Ui, UiProps};
use crate::preferences;
use crate::store::{Action, Theme};
use crate::text::{Label, Language, Message};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

#[component]
pub(crate) fn Header(props: &UiProps) -> Html {
    let ui = &props.ui;
    html! {
        <header class="top">
            <h1>{ "Kafkascope" }</h1>
            <NoticeBar ui={ui.clone()} />
            <p class="tagline">{ ui.say(Label::Tagline) }</p>
            <span class="seed">{ ui.tell(&Message::Seed { seed: ui.snapshot.run.seed, is_swarm: ui.snapshot.swarm.is_some() }) }</span>
            <span class="choices"><NewCluster ui={ui.clone()} />{ language_choice(ui) }{ theme_choice(ui) }</span>
        </header>
    }
}

fn language_choice(ui: &Ui) -> Html {
    let dispatch = ui.dispatch.clone();
    let onchange = Callback::from(move |event: Event| {
        if let Some(language) = Language::from_code(&event.target_unchecked_into::<HtmlSelectElement>().value()) {
            preferences::keep_language(language);
            dispatch.emit(Action::SetLanguage(language));
        }
    });
    let options = Language::ALL.map(|language| {
        let selected = language == ui.store.language;
        html! { <option value={language.code()} lang={language.code()} {selected}>{ language.name() }</option> }
    });
    html! { <select id="language" aria-label={ui.say(Label::LanguageChoice)} {onchange}>{ for options }</select> }
}

fn theme_choice(ui: &Ui) -> Html {
    let dispatch = ui.dispatch.clone();
    let onchange = Callback::from(move |event: Event| {
        if let Some(theme) = Theme::from_code(&event.target_unchecked_into::<HtmlSelectElement>().value()) {
            preferences::keep_theme(theme);
            dispatch.emit(Action::SetTheme(theme));
        }
    });
    let options = Theme::ALL.map(|theme| {
        let label = match theme {
            Theme::System => Label::ThemeSystem,
            Theme::Light => Label::ThemeLight,
            Theme::Dark => Label::ThemeDark,
        };
        let selected = theme == ui.store.theme;
        html! { <option value={theme.code()} {selected}>{ format!("{}: {}", ui.say(Label::ThemeChoice), ui.say(label)) }</option> }
    });
    html! { <select id="theme" aria-label={ui.say(Label::ThemeChoice)} {onchange}>{ for options }</select> }
}
