//! The frame of every page: head, style, and links to the neighbouring pages.

use super::style::STYLE;
use pushforward::derivation::html;
use pushforward::derivation::html::escape;
use pushforward::plot;

/// A link to another page.
pub(super) struct Link {
    pub file: String,
    pub text: String,
}

/// Returns a complete page.
pub(super) fn document(title: &str, body: &str, before: Option<Link>, after: Option<Link>) -> String {
    let way = navigation(title, before.as_ref(), after.as_ref());
    let name = if title == "pushforward" { title.to_string() } else { format!("{title} · pushforward") };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{}</title>\n<style>\n{}{STYLE}{}\n</style>\n</head>\n<body>\n<main>\n{way}{body}{way}</main>\n</body>\n\
         </html>\n",
        escape(&name),
        html::STYLE,
        plot::STYLE
    )
}

fn navigation(title: &str, before: Option<&Link>, after: Option<&Link>) -> String {
    let side = |link: Option<&Link>, class: &str, arrow: [&str; 2]| match link {
        Some(Link { file, text }) => {
            let [left, right] = arrow;
            format!("<a class=\"{class}\" href=\"{file}\">{left}{}{right}</a>", escape(text))
        }
        None => format!("<span class=\"{class}\"></span>"),
    };
    let up = match title {
        "pushforward" => "<span></span>".to_string(),
        _ => "<a class=\"up\" href=\"index.html\">Contents</a>".to_string(),
    };
    format!("<nav>{}{up}{}</nav>\n", side(before, "before", ["← ", ""]), side(after, "after", ["", " →"]))
}
