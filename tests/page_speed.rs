//! How fast the built page is in headless Chromium. Run by `cargo xtask bench`; prints, and judges nothing.

use acceptance::driver::Page;

const LOADS: usize = 5;

#[test]
#[ignore = "a measurement: cargo xtask bench browser"]
fn time_until_the_page_has_started() {
    let page = Page::open("");
    let mut milliseconds: Vec<f64> = (0..LOADS).map(|_| time_of_one_load(&page)).collect();
    milliseconds.sort_by(f64::total_cmp);
    println!("page load until its first content: median {:.0} ms of {milliseconds:.0?}", milliseconds[LOADS / 2]);
    page.assert_no_console_errors();
}

/// From the start of the navigation to the first thing painted, in milliseconds.
fn time_of_one_load(page: &Page) -> f64 {
    page.goto("");
    let entry = "performance.getEntriesByName('first-contentful-paint')[0]";
    page.wait_until(&format!("{entry} !== undefined"));
    page.eval(&format!("{entry}.startTime")).as_f64().expect("a paint has a time")
}
