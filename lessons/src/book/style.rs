//! The style sheet of the book, in addition to that of a derivation.

pub(super) const STYLE: &str = "\
:root{--panel:#f6f3ec;--good:#1d6b45;--open:#8a5a00;--bad:#a3262a}
@media (prefers-color-scheme:dark){:root{--panel:#202226;--good:#6fcf9f;--open:#e6b655;--bad:#ff8f8a}}
main{max-width:48rem}
a{color:var(--accent);text-underline-offset:.15em}
nav{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.3rem 1.2rem;margin:0 0 2rem;
font:.9rem/1.4 ui-sans-serif,system-ui,sans-serif}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
nav span,nav a{flex:1 1 0;min-width:0}nav .up{text-align:center}nav .after{text-align:right}
nav:last-child{margin:3rem 0 0;padding-top:1rem;border-top:1px solid var(--rule)}
header h1{margin-top:.1rem}
.kicker,.label{font:600 .8rem/1.4 ui-sans-serif,system-ui,sans-serif;letter-spacing:.03em;color:var(--soft);margin:0 0 .3rem}
.question{font-size:1.22rem;line-height:1.5}
sub{font-size:.72em;line-height:0}
h4{font-size:.98rem;margin:1.2rem 0 .3rem}h5{font-size:.95rem;margin:1rem 0 .3rem;font-style:italic}
aside{margin:1.3rem 0;padding:.8rem 1.1rem;background:var(--panel);border-left:3px solid var(--rule)}
aside p:last-child{margin-bottom:0}aside p{margin:.3rem 0}
aside.predict{border-color:var(--accent)}aside.wrong{border-color:var(--bad)}
aside.note{background:none;color:var(--soft);padding:.1rem 1.1rem;font-size:.95em}
pre{overflow-x:auto;margin:1rem 0;padding:.8rem 1rem;background:var(--panel);border-radius:4px;
font:.82rem/1.45 ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',Consolas,monospace}
.scroll{overflow-x:auto;margin:1.1rem 0}
table{border-collapse:collapse;font:.9rem/1.4 ui-sans-serif,system-ui,sans-serif;font-variant-numeric:tabular-nums}
th,td{padding:.32rem .9rem .32rem 0;text-align:left;border-bottom:1px solid var(--rule);vertical-align:baseline}
th{font-weight:600;color:var(--soft);border-bottom-color:var(--soft)}
.scroll,.formula,pre{--below:var(--paper);background:\
linear-gradient(90deg,var(--below) 30%,transparent) left/2.5rem 100% no-repeat local,\
linear-gradient(270deg,var(--below) 30%,transparent) right/2.5rem 100% no-repeat local,\
linear-gradient(90deg,var(--soft),transparent) left/.5rem 100% no-repeat scroll,\
linear-gradient(270deg,var(--soft),transparent) right/.5rem 100% no-repeat scroll,var(--below)}
pre{--below:var(--panel)}
.figure{text-align:right;padding-left:.6rem}
td.figure{white-space:nowrap}
.measured,small{color:var(--soft);font-size:.85em}
.measured{margin:-.7rem 0 1rem}
.number{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1.5rem;margin:0;padding:.3rem 0;
border-bottom:1px dotted var(--rule)}
.number small{margin-left:.7em}.number b{font-weight:600;font-variant-numeric:tabular-nums}
.number+:not(.number){margin-top:1.1rem}
figure{margin:1.6rem 0;break-inside:avoid}
figcaption{margin-top:.4rem;font-size:.95rem;color:var(--soft)}
.claims{list-style:none;margin:.6rem 0;padding:0}
.claims li{display:grid;grid-template-columns:1.5rem 1fr;padding:.3rem 0}
.claims .said,.claims small{grid-column:2;min-width:0;overflow-wrap:anywhere}
.claims small{white-space:pre-wrap;line-height:1.45}
.claims .mark{grid-row:1/span 2;line-height:1.6}
.proven .mark,.checked .mark,.proven b,.checked b{color:var(--good)}
.not-proven .mark,.not-proven b{color:var(--open)}
.refuted .mark,.refuted b{color:var(--bad)}
.claims.alone{margin:.2rem 0}
.report,.derived,.exercise{margin:1.3rem 0;padding:.9rem 1.1rem;border:1px solid var(--rule);border-radius:4px}
.report .claims li+li{border-top:1px solid var(--rule)}
.derived h3{margin-top:0}
.derived p,.derivation p{overflow-x:auto;overflow-y:hidden}
.exercise{border-color:var(--accent)}.exercise p:first-child{margin-top:0}
.judge,.advice{color:var(--soft);font-size:.95em}
summary{cursor:pointer;color:var(--accent)}details details{margin-top:.4rem}
.map{list-style:none;padding:0;margin:2rem 0}
.map a{display:grid;grid-template-columns:2.4rem 1fr 8.5rem;gap:.9rem;align-items:center;padding:.7rem 0;
border-bottom:1px solid var(--rule);color:inherit;text-decoration:none}
.map a:hover b{text-decoration:underline}
.map .of{font:600 1.1rem ui-sans-serif,system-ui,sans-serif;color:var(--accent)}
.map .what b,.map .what span{display:block}.map .what span{color:var(--soft);font-size:.95rem}
.map .seen{min-width:0}.map .plot text{display:none}.map .plot path{stroke-width:4}.map .plot [stroke=none]{stroke-width:0}
.course{display:block;width:100%;height:auto}
.course path{fill:none;stroke:var(--soft);stroke-width:1.2}
.course circle{fill:var(--paper);stroke:var(--accent);stroke-width:1.5}
.course text{font:600 13px ui-sans-serif,system-ui,sans-serif;text-anchor:middle;fill:var(--ink)}
.course a:hover circle{fill:var(--panel)}
.words dt{font-weight:600;margin-top:.9rem}.words dd{margin:.1rem 0 0}
.contents{columns:2;padding-left:1.2rem}
.derivation{border-top:1px solid var(--rule);margin-top:2.5rem}
@media (max-width:40rem){.map a{grid-template-columns:2rem 1fr 5rem;gap:.6rem}.contents{columns:1}
.report,.derived,.exercise{padding:.7rem .8rem}nav .up{flex:1 0 100%;order:-1;text-align:left}}
@media print{:root{--panel:#fff}nav{display:none}a{color:inherit}pre{white-space:pre-wrap}}
";
