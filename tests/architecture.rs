//! The architecture of the library (DESIGN.md, section 2): which module may use which, and no cycles within a module.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module and the modules that it uses: an import that is not listed fails, and so does an entry that nobody needs.
const ARROWS: [(&str, &[&str]); 22] = [
    ("checker", &[]),
    ("kernel", &[]),
    ("table", &[]),
    ("tape", &[]),
    ("typeset", &[]),
    ("plot", &["typeset"]),
    ("numeric", &["kernel"]),
    ("sweep", &["numeric", "tape", "typeset"]),
    ("program", &["kernel", "numeric", "sweep", "tape"]),
    ("jacobian", &["sweep", "tape"]),
    ("bijection", &["jacobian", "sweep", "tape", "typeset"]),
    ("layers", &["bijection", "jacobian", "tape"]),
    ("base", &["bijection", "numeric", "tape"]),
    ("train", &["base", "kernel", "numeric", "program", "sweep", "tape"]),
    ("flow", &["base", "bijection", "jacobian", "numeric", "program", "sweep", "table", "tape", "train"]),
    ("model", &["base", "bijection", "flow", "layers", "numeric", "program", "table", "tape"]),
    ("onnx", &["bijection", "flow", "jacobian", "layers", "model", "numeric", "sweep", "table", "tape"]),
    ("audit", &["base", "bijection", "checker", "jacobian", "numeric", "program", "sweep", "tape"]),
    ("jax", &["base", "bijection", "flow", "model", "sweep", "tape"]),
    ("zuko", &["base", "bijection", "flow", "layers", "tape"]),
    ("report", &["audit", "bijection", "model", "numeric", "plot", "table", "typeset"]),
    ("derivation", &["audit", "bijection", "jacobian", "sweep", "tape", "typeset"]),
];

/// Files that use one another, because they are one type and its parts, or two sweeps that need one another.
const TOGETHER: [(&[&str], &str); 7] = [
    (
        &[
            "tape/binary",
            "tape/elementwise",
            "tape/function",
            "tape/initial_value",
            "tape/op",
            "tape/parameter",
            "tape/pass",
            "tape/record",
            "tape/thresholds",
            "tape/unary",
            "tape/var",
        ],
        "a tape, its nodes and its handles",
    ),
    (
        &[
            "typeset/function",
            "typeset/latex",
            "typeset/mathml",
            "typeset/parse",
            "typeset/term",
            "typeset/text",
        ],
        "a term and the notations that it is set in",
    ),
    (
        &[
            "sweep/adjoint",
            "sweep/equation",
            "sweep/guard",
            "sweep/initial_value",
            "sweep/reach",
            "sweep/tangent",
            "sweep/zeros",
        ],
        "the derivative of an equation is an equation of derivatives",
    ),
    (
        &[
            "kernel/elementwise",
            "kernel/exponential",
            "kernel/logarithm",
            "kernel/real",
            "kernel/tanh",
            "kernel/vector",
        ],
        "a number type and its elementary functions",
    ),
    (
        &[
            "program/compile",
            "program/deferred",
            "program/execute",
            "program/integrate",
            "program/lower",
            "program/needs",
            "program/plan",
            "program/precision",
            "program/profile",
            "program/run",
            "program/solve",
            "program/workspace",
        ],
        "a program, its plan and what runs it",
    ),
    (&["onnx/export/graph", "onnx/export/value"], "a graph and the handles of its values"),
    (
        &["bijection/composition", "bijection/inverse", "bijection/record"],
        "a composition holds inverses, which are recorded by walking over compositions",
    ),
];

type Module = Vec<String>;

/// The modules of the library with the text of their files, without comments and tests.
struct Library {
    modules: BTreeMap<Module, String>,
    /// Modules that are folders.
    folders: BTreeSet<Module>,
    /// What a module hands on under its own name: (module, name) to where it comes from.
    exports: BTreeMap<(Module, String), Vec<String>>,
}

impl Library {
    fn read() -> Library {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
        let (mut modules, mut folders) = (BTreeMap::new(), BTreeSet::new());
        for file in source_files(&src) {
            let path = file.strip_prefix(&src).unwrap().with_extension("");
            let mut module: Module = path.iter().map(|part| part.to_str().unwrap().to_string()).collect();
            if module == ["lib"] {
                continue;
            }
            if module.last().is_some_and(|name| name == "mod") {
                module.pop();
                folders.insert(module.clone());
            }
            modules.insert(module, code(&fs::read_to_string(&file).unwrap()));
        }
        let mut library = Library { modules, folders, exports: BTreeMap::new() };
        let mut exports = BTreeMap::new();
        for module in library.modules.keys() {
            for (public, path) in library.paths(module) {
                if let (true, Some(target)) = (public, library.absolute(module, &path)) {
                    exports.insert((module.clone(), path.last().unwrap().clone()), target);
                }
            }
        }
        library.exports = exports;
        library
    }

    /// The paths in a module's text: of imports (and whether they are handed on), and written out in expressions.
    fn paths(&self, module: &Module) -> Vec<(bool, Vec<String>)> {
        let text = &self.modules[module];
        let (mut found, mut rest) = (Vec::new(), String::new());
        let mut left = text.as_str();
        while let Some(at) = left.find("use ") {
            let word = left[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || c == ')');
            let Some(end) = left[at..].find(';').filter(|_| word) else {
                rest.push_str(&left[..at + 4]);
                left = &left[at + 4..];
                continue;
            };
            let before = left[..at].trim_end();
            let public = before.ends_with("pub") || before.ends_with(')') && before.contains("pub(");
            rest.push_str(&left[..at]);
            expand(&left[at + 4..at + end], &[], &mut |path| found.push((public, path)));
            left = &left[at + end..];
        }
        rest.push_str(left);
        for root in ["crate::", "super::", "self::"] {
            for (at, _) in rest.match_indices(root) {
                let path: String =
                    rest[at..].chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).collect();
                let path = path.trim_end_matches(':').split("::").map(str::to_string);
                found.push((false, path.filter(|part| !part.is_empty()).collect()));
            }
        }
        found
    }

    /// A path from the root of the library, `None` if it is that of another crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([module.as_slice(), &path[1..]].concat()),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                Some([&module[..module.len().checked_sub(up)?], &path[up..]].concat())
            }
            child => {
                let inner = [module.as_slice(), &[child.to_string()]].concat();
                self.modules.contains_key(&inner).then(|| [module.as_slice(), path].concat())
            }
        }
    }

    /// The module in which what a path names is defined.
    fn resolve(&self, path: &[String], depth: usize) -> Option<Module> {
        let length = (1..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
        let module = path[..length].to_vec();
        let handed_on = path.get(length).and_then(|name| self.exports.get(&(module.clone(), name.clone())));
        match handed_on {
            Some(target) if depth < 8 && *target != path[..=length] => {
                let further = [target.as_slice(), &path[length + 1..]].concat();
                self.resolve(&further, depth + 1).or(Some(module))
            }
            _ => Some(module),
        }
    }

    /// The modules that a module uses.
    fn uses(&self, module: &Module) -> BTreeSet<Module> {
        let paths = self.paths(module).into_iter();
        let absolute = paths.filter_map(|(_, path)| self.absolute(module, &path));
        absolute.filter_map(|path| self.resolve(&path, 0)).filter(|other| other != module).collect()
    }
}

/// The paths of an import, each written out.
fn expand(tree: &str, before: &[String], found: &mut impl FnMut(Vec<String>)) {
    let tree = tree.trim();
    if let Some((root, rest)) = tree.split_once('{') {
        let root = root.split("::").map(|part| part.trim().to_string()).filter(|part| !part.is_empty());
        let root: Vec<String> = before.iter().cloned().chain(root).collect();
        let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
        let (mut depth, mut from) = (0, 0);
        for (at, sign) in inner.char_indices() {
            match sign {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand_part(&inner[from..at], &root, found);
                    from = at + 1;
                }
                _ => {}
            }
        }
        return expand_part(&inner[from..], &root, found);
    }
    let plain = tree.split(" as ").next().unwrap_or(tree);
    let parts = plain.split("::").map(|part| part.trim().to_string()).filter(|part| !part.is_empty());
    let path: Vec<String> = before.iter().cloned().chain(parts).collect();
    if !path.is_empty() {
        found(path);
    }
}

fn expand_part(part: &str, root: &[String], found: &mut impl FnMut(Vec<String>)) {
    if !part.trim().is_empty() {
        let boxed: &mut dyn FnMut(Vec<String>) = found;
        expand_dyn(part, root, boxed);
    }
}

/// Not generic, so that the recursion ends for the compiler.
fn expand_dyn(tree: &str, before: &[String], found: &mut dyn FnMut(Vec<String>)) {
    let mut all = Vec::new();
    expand(tree, before, &mut |path| all.push(path));
    all.into_iter().for_each(found);
}

/// A file's text without comments and unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
                false => {}
            }
        }
    }
    files
}

#[test]
fn every_import_follows_an_arrow_and_every_arrow_is_used() {
    let library = Library::read();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for module in library.modules.keys() {
        let allowed = ARROWS.iter().find(|(name, _)| *name == module[0]);
        let Some((_, allowed)) = allowed else {
            wrong.push(format!("src/{} is in no list of arrows", module[0]));
            continue;
        };
        for other in library.uses(module).into_iter().filter(|other| other[0] != module[0]) {
            if !allowed.contains(&other[0].as_str()) {
                wrong.push(format!("{} uses {}", module.join("/"), other.join("/")));
            }
            found.entry(module[0].clone()).or_default().insert(other[0].clone());
        }
    }
    let imports: usize = found.values().map(BTreeSet::len).sum();
    assert!(imports > 40, "only {imports} arrows were found: the reader of imports is broken");
    for (module, allowed) in ARROWS {
        for other in allowed {
            if !found.get(module).is_some_and(|used| used.contains(*other)) {
                wrong.push(format!("{module} may use {other}, and nothing of it does"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the design does not have:\n{}", wrong.join("\n"));
}

#[test]
fn files_of_a_module_use_one_another_in_one_direction() {
    let library = Library::read();
    // A folder's own file hands names on, or defines what its files are about.
    let files: Vec<&Module> =
        library.modules.keys().filter(|module| !library.folders.contains(*module)).collect();
    let edges: BTreeMap<&Module, BTreeSet<Module>> =
        files.iter().map(|module| (*module, library.uses(module))).collect();
    // What each file leads to, itself only over a cycle.
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = files
        .iter()
        .map(|start| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
            while let Some(module) = open.pop() {
                for next in edges.get(module).into_iter().flatten() {
                    if let Some((next, _)) = edges.get_key_value(next)
                        && seen.insert(*next)
                    {
                        open.push(*next);
                    }
                }
            }
            (*start, seen)
        })
        .collect();
    let mut cycles: BTreeSet<Vec<String>> = BTreeSet::new();
    for start in &files {
        let cycle = reached[start].iter().filter(|other| reached[**other].contains(start));
        let cycle: Vec<String> = cycle.map(|module| module.join("/")).collect();
        if cycle.len() > 1 {
            cycles.insert(cycle);
        }
    }
    let mut wrong: Vec<String> = Vec::new();
    for cycle in &cycles {
        if !TOGETHER.iter().any(|(together, _)| together == cycle) {
            wrong.push(format!("these files use one another: {}", cycle.join(", ")));
        }
    }
    for (together, reason) in TOGETHER {
        if !cycles.iter().any(|cycle| cycle == together) {
            wrong.push(format!("no longer a cycle ({reason}): {}", together.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
