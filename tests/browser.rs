//! The built page in headless Chromium, as its user sees it. Pictures of it go to `target/screenshots/`.

use acceptance::driver::Page;
use serde_json::json;

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn page_starts_without_an_error_under_a_sub_path() {
    let page = Page::open("");
    page.resize(1280, 800);
    page.wait_for("h1");
    assert_eq!(page.text("h1"), "Kafkascope");
    page.screenshot("start");
    // A click fails where something else lies above.
    page.click("#language");
    page.click("#theme");
    page.assert_no_console_errors();
}

#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn page_fits_a_phone() {
    let page = Page::open("");
    page.resize(360, 740);
    page.wait_for("h1");
    assert_eq!(page.eval("window.innerWidth"), json!(360));
    let visible_width = page.eval("document.documentElement.clientWidth");
    assert_eq!(page.eval("document.documentElement.scrollWidth"), visible_width, "the page is wider than the window");
    page.screenshot("start-phone");
    page.assert_no_console_errors();
}

/// Without this, a test which finds no error could be one that looks at nothing.
#[test]
#[ignore = "needs the built site and Chromium: cargo xtask test browser"]
fn errors_of_the_page_are_seen() {
    let page = Page::open("");
    page.assert_no_console_errors();
    page.eval("setTimeout(() => { throw new Error('thrown on purpose') })");
    page.eval("console.error('logged on purpose')");
    page.eval("fetch('missing-on-purpose').then(() => true)");
    let errors = page.console_errors().join("\n");
    for part in ["thrown on purpose", "logged on purpose", "missing-on-purpose"] {
        assert!(errors.contains(part), "{part} is not among: {errors}");
    }
}
