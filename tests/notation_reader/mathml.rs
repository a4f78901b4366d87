//! Converts MathML to text notation, with brackets where MathML uses position. Input that is not well-formed
//! is rejected.

use super::latex::{above, below, table};

/// An element with its name, and what it holds.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: String,
    pub children: Vec<Element>,
    pub text: String,
}

/// The formula as text.
pub fn text_of_mathml(mathml: &str) -> String {
    let row = parse(&format!("<mrow>{mathml}</mrow>")).unwrap();
    text(&row)
}

/// One element and all in it: every tag is closed, in order.
pub fn parse(xml: &str) -> Result<Element, String> {
    let mut open: Vec<Element> = vec![Element {
        name: String::new(),
        attributes: String::new(),
        children: Vec::new(),
        text: String::new(),
    }];
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        open.last_mut().unwrap().text.push_str(&unescape(&rest[..start])?);
        let end = rest[start..].find('>').ok_or("a tag without an end")? + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().unwrap();
            if closed.name != name || open.is_empty() {
                return Err(format!("</{name}> closes <{}>", closed.name));
            }
            open.last_mut().unwrap().children.push(closed);
            continue;
        }
        let single = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if attributes.matches('"').count() % 2 != 0 || attributes.contains('<') {
            return Err(format!("attributes of <{name}>: {attributes}"));
        }
        let element = Element {
            name: name.to_string(),
            attributes: attributes.to_string(),
            children: Vec::new(),
            text: String::new(),
        };
        if single { open.last_mut().unwrap().children.push(element) } else { open.push(element) }
    }
    let mut root = open.pop().unwrap();
    match (open.is_empty(), root.children.len()) {
        (true, 1) => Ok(root.children.remove(0)),
        _ => Err(format!("<{}> is not closed, or there are several roots", root.name)),
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let known = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#xA0;", " "),
        ("&#x2061;", ""),
        ("&#x2062;", "·"),
    ];
    let text = known.iter().fold(text.to_string(), |text, (entity, sign)| text.replace(entity, sign));
    let bare = text.replace("&amp;", "");
    if bare.contains('&') { Err(format!("an & in {text}")) } else { Ok(text.replace("&amp;", "&")) }
}

fn text(element: &Element) -> String {
    let child = |k: usize| text(&element.children[k]);
    let all = || element.children.iter().map(text).collect::<String>();
    match element.name.as_str() {
        "mi" | "mn" | "mtext" => element.text.clone(),
        "mo" => match element.text.as_str() {
            "−" if element.attributes.contains("prefix") => "-".to_string(),
            "+" | "=" | "<" | "≤" | "∈" | "∧" | "∨" => format!(" {} ", element.text),
            "−" => " - ".to_string(),
            "⋅" => "·".to_string(),
            "∑" => "Σ".to_string(),
            "⊤" => "ᵀ".to_string(),
            "," => ", ".to_string(),
            sign => sign.to_string(),
        },
        "mspace" => " ".to_string(),
        "mfrac" => format!("(({})/({}))", child(0), child(1)),
        "msqrt" => format!("√({})", all()),
        "msup" if child(0) == "e" => format!("exp({})", child(1)),
        "msup" => format!("{}{}", child(0), above(&child(1))),
        "msub" | "munder" => format!("{}{}", child(0), below(&child(1))),
        "msubsup" => format!("{}{}{}", child(0), below(&child(1)), above(&child(2))),
        "mtable" => {
            let rows: Vec<Vec<String>> =
                element.children.iter().map(|row| row.children.iter().map(text).collect()).collect();
            table(if element.attributes.contains("cases") { "cases" } else { "matrix" }, &rows)
        }
        // The brace of a choice comes with its table.
        "mrow" if element.children.first().is_some_and(|first| first.text == "{") => child(1),
        _ => all(),
    }
}
