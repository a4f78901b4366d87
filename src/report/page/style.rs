//! The style sheet of a report.

pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fffefb;--ink:#1d1c1a;--soft:#68645c;--rule:#e4dfd5;--accent:#8b3d14;--panel:#f6f3ec;
--good:#1d6b45;--open:#8a5a00;--bad:#a3262a}
@media (prefers-color-scheme:dark){:root{--paper:#17181b;--ink:#e9e7e2;--soft:#a19d95;--rule:#34363b;--accent:#e5a878;
--panel:#202226;--good:#6fcf9f;--open:#e6b655;--bad:#ff8f8a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%;
font:1rem/1.55 ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
main{max-width:70rem;margin:0 auto;padding:clamp(1rem,4vw,3rem) clamp(1rem,4vw,2rem) 4rem}
h1{font-size:clamp(1.4rem,4.5vw,1.9rem);line-height:1.25;margin:0;font-weight:650;overflow-wrap:anywhere}
header{padding-bottom:1rem;border-bottom:2px solid var(--accent)}
header p{color:var(--soft);margin:.3rem 0 0}
section{margin-top:2.6rem}
h2{font-size:1.22rem;line-height:1.3;margin:0 0 .5rem;font-weight:650;color:var(--accent)}
h3{font-size:1rem;line-height:1.35;margin:1.5rem 0 .3rem;font-weight:650}
p,ul{margin:.5rem 0;max-width:46rem;overflow-wrap:break-word}
ul{padding-left:1.2rem}li{margin:.15rem 0}
.note,small{color:var(--soft);font-size:.9rem}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',Consolas,monospace}
code{font-size:.9em}
pre{overflow-x:auto;margin:.7rem 0;padding:.8rem 1rem;background:var(--panel);border-radius:4px;font-size:.84rem;line-height:1.6}
nav{margin:1rem 0 0;font-size:.92rem;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem}
a{color:var(--accent);text-underline-offset:.15em}nav a{text-decoration:none}nav a:hover{text-decoration:underline}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(13.6rem,1fr));gap:.8rem;margin:1.4rem 0 .8rem;padding:0}
.figures div{background:var(--panel);border-radius:5px;padding:.7rem .9rem}
.figures dt{color:var(--soft);font-size:.86rem}
.figures dd{margin:.1rem 0 0;white-space:nowrap;font-size:1.25rem;line-height:1.3;font-weight:650;font-variant-numeric:tabular-nums}
.figures small{display:block;white-space:normal;font-weight:400;font-size:.84rem;line-height:1.4}
.verdict{padding:.6rem .9rem;border-left:3px solid var(--rule);background:var(--panel);max-width:none}
.verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}
.scroll{overflow-x:auto;margin:.9rem 0;background:linear-gradient(90deg,var(--paper) 30%,transparent) 0 0/2.5rem 100%,
linear-gradient(-90deg,var(--paper) 30%,transparent) 100% 0/2.5rem 100%,linear-gradient(90deg,var(--rule),transparent) 0 0/.7rem 100%,
linear-gradient(-90deg,var(--rule),transparent) 100% 0/.7rem 100%;background-repeat:no-repeat;background-attachment:local,local,scroll,scroll}
table{border-collapse:collapse;font-size:.9rem;line-height:1.4;font-variant-numeric:tabular-nums}
th,td{padding:.34rem 1.1rem .34rem 0;text-align:left;border-bottom:1px solid var(--rule);vertical-align:baseline}
th{font-weight:600;color:var(--soft);border-bottom-color:var(--soft)}
th.n,td.n{text-align:right;white-space:nowrap}
td.far{font-weight:650;color:var(--bad)}
td.wide{min-width:18rem}tr.why td{border-top:0;padding:0 0 .6rem;color:var(--soft)}tr.before td{border-bottom:0}
tr.total td{font-weight:650}tr.out td{color:var(--soft)}
.good{color:var(--good)}.open{color:var(--open)}.bad{color:var(--bad)}.verdict.good,.verdict.bad{color:inherit}
.label{white-space:nowrap}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;list-style:none;padding:0;margin:.7rem 0;font-size:.9rem}
.legend .key{display:inline-block;width:1.5em;margin-right:.5em;vertical-align:middle}
.key.area{height:.75em;background:currentColor;opacity:.4;border-radius:2px}.key.line{border-top:2.5px solid}
.key.dashed{border-top:2.5px dashed}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,18rem),1fr));gap:1.3rem 1.5rem;margin:1rem 0;align-items:end}
.twins{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,31rem),1fr));gap:1.6rem 2rem;margin:1rem 0}
.twins .both{display:grid;grid-template-columns:1fr 1fr;gap:.5rem}
figure{margin:0;break-inside:avoid;min-width:0}
figcaption{font-size:.92rem;font-weight:600;margin:0 0 .15rem;overflow-wrap:anywhere}
figcaption small{font-weight:400}
.panels .plot{font-size:13px}.twins .plot{font-size:16px}.c9{color:var(--soft)}
.solid .plot path{stroke-dasharray:none}
.ranks .plot .c1{color:var(--soft)}
footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--rule);color:var(--soft);font-size:.88rem}
@media (max-width:40rem){.twins .both{grid-template-columns:1fr}.figures{gap:.5rem}.twins .plot{font-size:13px}
.figures div{padding:.5rem .8rem}.figures dd{font-size:1.15rem}th,td{white-space:nowrap}td.wide,tr.why td{white-space:normal}}
@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--rule:#ccc;--accent:#000;--panel:#fff}
body{font-size:9.5pt}main{max-width:none;padding:0}nav{display:none}section{margin-top:1.4rem}h2,h3{break-after:avoid}
.scroll{overflow:visible}table{font-size:8pt}tr{break-inside:avoid}.figures div{border:1px solid var(--rule)}
pre{white-space:pre-wrap;border:1px solid var(--rule)}.panels{grid-template-columns:repeat(3,1fr)}
.twins{grid-template-columns:1fr 1fr}@page{margin:15mm}}
";
