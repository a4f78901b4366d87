//! The last page: what a learner can do after the lessons.

use crate::Page;

/// Its title.
pub const TITLE: &str = "What you can do now";

/// Adds its blocks to a page.
pub fn tell(page: &mut Page) {
    page.heading("With a table of your own");
    page.prose(
        "A density of all columns, of whatever kind: numbers, positive ones, rounded ones, categories, with cells missing. fit looks \
         at the columns and says what it does with each, tries Gaussian mixtures and spline flows, mixes them by the likelihood of \
         rows held out (lessons 8, 13, 21), and tells how good the mixture is on rows that it never saw, beside one Gaussian:",
    );
    page.listing("cargo run --release -- fit table.csv -o table.model");
    page.prose("Then ask it. New rows and what is odd about them (lesson 16), a page to show to others:");
    page.listing(
        "cargo run --release -- score table.model new.csv -o scores.csv\n\
         cargo run --release -- score table.model new.csv --explain\n\
         cargo run --release -- report table.model new.csv",
    );
    page.prose("Rows that it makes up, freely or given some columns (lessons 14 and 17):");
    page.listing(
        "cargo run --release -- sample table.model -n 1000 -o rows.csv\n\
         cargo run --release -- sample table.model -n 9 --given column=1.5",
    );
    page.prose("What it is made of, as formulas, and what is proven of them (lesson 9):");
    page.listing(
        "cargo run --release -- describe table.model\n\
         cargo run --release -- derive table.model\n\
         cargo run --release -- audit table.model",
    );
    page.prose("No table at hand? lessons/data/penguins.csv and its neighbours are tables.");
    page.heading("With a layer of your own");
    page.prose(
        "You can write a map, predict where its Jacobian is 0, and have everything else derived; you can tell what is proven from \
         what was checked; and you know what to do where something is refuted (lessons 7, 9, 10, 24). What others have found is in \
         the catalogue, each with what is proven of it:",
    );
    page.listing("cargo run --release -- catalogue\ncargo run --release -- derive spline_coupling");
    page.heading("In a program");
    page.prose(
        "cargo doc --open -p pushforward opens the documentation; its first page is a tour. DESIGN.md has the algorithms and the \
         arguments why what is called proven is true, CONTRIBUTING.md the places where a layer, a base, an operation or a lesson is \
         added. If you find a claim that is called proven and is false, tell us: nothing matters more here.",
    );
}
