//! What is proven of the layers.

use super::write::{Cell, escape, marked, table, words};
use crate::audit::Evidence;
use crate::report::Report;
use crate::report::proofs::{CLAIMS, FlowProof, LayerProof};
use crate::table::count;

pub(super) fn section(report: &Report) -> String {
    let flows: String = report.proofs.iter().map(flow).collect();
    format!(
        "<p>ln p of a row is exact only if every layer between the base and the table is invertible. <b>Proven</b>: for all inputs \
         and all parameters, accepted by a second program that shares no code with the first. <b>Checked</b>: at points. <b>Not \
         proven</b>: neither shown nor refuted. The inverse of a layer is one-to-one and onto where the layer is, which computes ln p; \
         <i>invertible</i> says whether its formulas are the inverse. <code>pushforward audit</code> tells the reasons.</p>\n{flows}"
    )
}

fn flow(flow: &FlowProof) -> String {
    let mut html = format!(
        "<h3>{}</h3>\n<p class=\"note\">{:.0} % of the mixture; {} base, {}.</p>\n",
        escape(&flow.name),
        100.0 * flow.weight,
        escape(&flow.base),
        count(flow.parameters, "parameter")
    );
    if flow.layers.iter().all(|layer| layer.claims.is_empty()) {
        let names: Vec<String> = flow.layers.iter().map(|layer| escape(&layer.name)).collect();
        return html + &format!("<p>{}. Not audited for this report.</p>\n", names.join(" → "));
    }
    let headers: Vec<Cell> =
        [words("layer")].into_iter().chain(CLAIMS.iter().map(|(about, _)| words(about))).collect();
    // Layers alike in a row are one line.
    let mut rows: Vec<(&str, Vec<Cell>)> = Vec::new();
    let mut first = 0;
    for alike in flow.layers.chunk_by(is_shown_alike) {
        let last = first + alike.len() - 1;
        let numbers = if alike.len() > 1 { format!("{first}–{last}") } else { first.to_string() };
        rows.push(("", row(&numbers, &alike[0])));
        first += alike.len();
    }
    html.push_str(&table(&headers, &rows));
    for (k, layer) in flow.layers.iter().enumerate() {
        for claim in &layer.claims {
            if let Evidence::Refuted { witness } = &claim.evidence {
                html.push_str(&format!(
                    "<p class=\"bad\">Layer {k} is refuted ({}): {}</p>\n",
                    claim.about,
                    escape(witness)
                ));
            }
        }
    }
    html
}

/// Whether two layers have the same name and the same evidence; its reasons are not shown.
fn is_shown_alike(a: &LayerProof, b: &LayerProof) -> bool {
    let labels = |layer: &LayerProof| -> Vec<(&str, &str)> {
        layer.claims.iter().map(|claim| (claim.about, claim.evidence.label())).collect()
    };
    a.name == b.name && labels(a) == labels(b)
}

fn row(numbers: &str, layer: &LayerProof) -> Vec<Cell> {
    let mut cells = vec![words(&format!("{numbers} {}", layer.name))];
    for (about, _) in CLAIMS {
        let claim = layer.claims.iter().find(|claim| claim.about == about);
        let html = claim.map_or("–".to_string(), |claim| {
            let class = match claim.evidence {
                Evidence::Proven { .. } | Evidence::Checked { .. } => "good",
                Evidence::NotProven { .. } => "open",
                Evidence::Refuted { .. } => "bad",
            };
            let (mark, label) = (claim.evidence.mark(), claim.evidence.label());
            format!("<span class=\"label {class}\">{mark} {label}</span>")
        });
        cells.push(marked(html, ""));
    }
    cells
}
