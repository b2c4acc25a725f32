#include "harness/reports/html_page.h"

#include "harness/reports/text.h"

#include <fmt/format.h>

namespace bench::harness {
namespace {

// Colours: Okabe and Ito's, which people with any colour vision tell apart; each series also has its dash and mark.
constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--back:#fff;--panel:#f6f7f8;--text:#1b1e22;--soft:#565d66;--rule:#d5d9de;
--link:#0b57a4;--g0:#0072b2;--g1:#c24e00;--g2:#00785a;--g3:#8f4f7f;--fail:#a3201a;--pass:#00664c;--limit:#1b1e22}
@media(prefers-color-scheme:dark){:root{--back:#15181c;--panel:#1d2126;--text:#e8eaed;--soft:#a6adb6;--rule:#3a4048;
--link:#8cc4ff;--g0:#5ab4f0;--g1:#f0a03c;--g2:#3cc9a0;--g3:#dc93c6;--fail:#ff8f86;--pass:#5fd6b0;--limit:#e8eaed}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:80rem;padding:1rem 12px 3rem;background:var(--back);color:var(--text);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
table{overflow-wrap:break-word}
h1{font-size:1.05rem;margin:0;color:var(--soft);font-weight:600}
h2{font-size:1.3rem;margin:2.5rem 0 .75rem;border-bottom:2px solid var(--rule);padding-bottom:.25rem}
h3{font-size:1.1rem;margin:0 0 .25rem}
p{margin:.35rem 0}a{color:var(--link)}
.summary{font-size:1.6rem;line-height:1.25;font-weight:650;margin:.25rem 0 .5rem}
.soft,.unit,figure p,li,summary{color:var(--soft);font-size:.875rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.75rem 0;font-size:.9rem}
.scroll{overflow-x:auto;min-width:0}
table{border-collapse:collapse;font-size:.875rem;width:100%;margin:.5rem 0}
th{text-align:left;color:var(--soft);font-weight:600;white-space:nowrap}
th,td{padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--rule);vertical-align:top}
.numbers{width:auto}.numbers td,.numbers th{white-space:nowrap}
.body>.scroll td,.body>.scroll th{font-size:.8125rem;padding-right:.5rem}
.numbers td{font-variant-numeric:tabular-nums}
.verdict{display:inline-block;white-space:nowrap;border:1.5px solid;border-radius:4px;padding:0 .45em;font-weight:650}
.gates td:nth-child(2){min-width:6rem;max-width:16rem}.gates td:nth-child(6){min-width:16rem}
.gates td:nth-child(5){white-space:nowrap}
.badges{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;font-size:.875rem}
.pass{color:var(--pass)}.fail{background:var(--fail);border-color:var(--fail);color:var(--back)}
.error{background:var(--text);border-color:var(--text);color:var(--back)}
.expected_fail{color:var(--fail);border-style:double;border-width:3px}
.not_judged{color:var(--soft);border-style:dashed}
.case{border:1px solid var(--rule);border-radius:6px;padding:.9rem 12px;margin:0 0 1rem;min-width:0}
.case>:first-child{margin-top:0}.type{color:var(--soft);font-weight:400}
.status{border-left:4px solid var(--fail);padding-left:.6rem}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,18rem),1fr));gap:.75rem;margin:.75rem 0}
.plots.wide{grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}
@media(min-width:70rem){.body{display:grid;grid-template-columns:fit-content(33rem) minmax(0,1fr);gap:0 1.25rem;align-items:start}}
figure{margin:0;background:var(--panel);border-radius:6px;padding:.6rem;min-width:0;max-width:26rem}
figcaption{font-weight:600;font-size:.9rem}
figure p{margin:.1rem 0;font-size:.8rem}
figure>svg{display:block;width:100%;height:auto}
figure ul{list-style:none;margin:.2rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.1rem .9rem}
figure li{font-size:.8rem;color:var(--text)}li>svg{width:26px;height:12px;vertical-align:-1px;margin-right:.35em}
svg text{font-size:12px;fill:var(--text);stroke:var(--panel);stroke-width:2.5px;paint-order:stroke}
.m{text-anchor:middle}.e{text-anchor:end}.s{text-anchor:start}
svg path{fill:none}.grid{stroke:var(--rule);stroke-width:.7}.frame{stroke:var(--soft)}
.g0{--c:var(--g0)}.g1{--c:var(--g1);stroke-dasharray:7 4}.g2{--c:var(--g2);stroke-dasharray:2 3}
.g3{--c:var(--g3);stroke-dasharray:9 3 2 3}
.line{stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}
.dot,.open,.solid,.whisker{stroke:var(--c);stroke-dasharray:none}
.dot{stroke-width:4.6;stroke-linecap:round;stroke-opacity:.75}.open{stroke-width:1.2}
svg .solid{fill:var(--c)}svg .bar{fill:var(--c);fill-opacity:.45;stroke:none}
.whisker{stroke-width:1.4}.interval{stroke:var(--text);stroke-width:2.4}
.limit{stroke:var(--limit);stroke-width:1.5;stroke-dasharray:4 3}.event{stroke:var(--fail);stroke-width:1.5;stroke-dasharray:1.5 2.5}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) minmax(0,1fr);gap:.15rem 1rem;margin:.5rem 0;font-size:.875rem}
dt{color:var(--soft)}dd{margin:0}
details{margin:.4rem 0}summary{cursor:pointer}
pre{overflow-x:auto;background:var(--panel);padding:.6rem;border-radius:6px;font-size:.8rem;line-height:1.35;overflow-wrap:normal}
.more>.case{content-visibility:auto;contain-intrinsic-size:auto 20rem}
@media(max-width:44rem){.summary{font-size:1.25rem}dl{grid-template-columns:minmax(0,1fr)}dd{margin:0 0 .3rem}
.case{border-width:1px 0 0;border-radius:0;padding:.9rem 0}figure{padding:.4rem}
.gates thead{display:none}.gates,.gates tbody,.gates tr,.gates td{display:block}
.gates tr{border-bottom:1px solid var(--rule);padding:.5rem 0}.gates td{border:0;padding:.05rem 0}
.gates td:nth-child(4)::before{content:"measured: "}.gates td:nth-child(5)::before{content:"target: "}
.gates td:nth-child(n+4)::before{color:var(--soft)}}
@media print{.case,figure,tr{break-inside:avoid}}
)css";

}  // namespace

void begin_page(const std::string& title, std::ostream& out) {
  out << fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src 'unsafe-inline';"
      "img-src data:\">\n<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
      escaped(title), kStyle);
}

void end_page(std::ostream& out) { out << "</body>\n</html>\n"; }

}  // namespace bench::harness
