/* The style of the page: screen, narrow screen, print. */
#include "page.h"

const char *const rx_page_style[] = {
    ":root{--ink:#1a1a1a;--soft:#5a6270;--line:#dfe3e8;--back:#fff;--card:#f5f7f9;--link:#0b5c8f}",
    "*{box-sizing:border-box}",
    "html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}",
    "body{margin:0 auto;max-width:62rem;padding:1.5rem 1.25rem 4rem;color:var(--ink);"
    "background:var(--back);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica "
    "Neue',Arial,sans-serif;overflow-wrap:anywhere}",
    "h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0 .4rem}",
    "h2{font-size:1.3rem;line-height:1.3;margin:2.6rem 0 .6rem;padding-top:.9rem;"
    "border-top:1px solid var(--line)}",
    "h3{font-size:1.05rem;margin:1.6rem 0 .4rem}",
    "p{margin:.5rem 0 .8rem;max-width:48rem}",
    "a{color:var(--link)}",
    "code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}",
    "header p{color:var(--soft);margin-top:0}",
    "#summary h2{border:0;margin-top:1rem;padding:0}",
    "dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:.8rem;margin:0}",
    "dl>div{background:var(--card);border:1px solid var(--line);border-radius:6px;"
    "padding:.75rem .95rem}",
    "dt{color:var(--soft);font-size:.85rem;margin-bottom:.2rem}",
    "dd{margin:0}",
    "dd b{font-size:1.1rem}",
    "nav ol{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;list-style:none;padding:0;"
    "margin:1.2rem 0 0}",
    "figure{margin:1.4rem 0 1.8rem}",
    ".drawing{overflow-x:auto}",
    ".drawing svg{display:block;width:100%;height:auto;min-width:min(34rem,var(--w))}",
    "figcaption{font-size:.9rem;line-height:1.45;color:#333;max-width:48rem;margin-top:.5rem}",
    ".files{white-space:nowrap;font-size:.85em}",
    ".files a{margin-right:.35em}",
    ".absent,.warning{background:#fff6e0;border-left:4px solid #e69f00;padding:.6rem .8rem}",
    ".scroll{overflow:auto;max-height:32rem;border:1px solid var(--line);border-radius:6px;"
    "margin:.6rem 0 1rem}",
    "table{border-collapse:collapse;width:100%;font-size:.87rem;line-height:1.35}",
    "th,td{padding:.32rem .6rem;text-align:left;vertical-align:top;"
    "border-bottom:1px solid var(--line);overflow-wrap:normal}",
    "td{max-width:24rem;overflow-wrap:anywhere;min-width:4.2rem}",
    "th{position:sticky;top:0;background:var(--card);vertical-align:bottom}",
    "th.n,th.n button{white-space:normal}",
    "th button{all:unset;cursor:pointer;font-weight:600}",
    "th button:focus-visible{outline:2px solid var(--link);outline-offset:2px}",
    "th[aria-sort=ascending] button:after{content:' \\25B2';font-size:.7em}",
    "th[aria-sort=descending] button:after{content:' \\25BC';font-size:.7em}",
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}",
    "tbody tr:hover{background:#eef4f8}",
    ".tools label{max-width:100%}",
    ".tools{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;font-size:.87rem;"
    "margin:.6rem 0 0}",
    ".tools input,.tools select{font:inherit;padding:.25rem .45rem;border:1px solid #b8c0c8;"
    "border-radius:4px;max-width:100%}",
    ".tools output{color:var(--soft)}",
    "#tip{position:fixed;z-index:9;pointer-events:none;background:#1a1a1a;color:#fff;"
    "font-size:.8rem;line-height:1.35;padding:.3rem .5rem;border-radius:4px;max-width:20rem;"
    "display:none}",
    "summary{cursor:pointer}",
    "@media (max-width:40rem){body{padding:1rem .8rem 3rem;font-size:15px}h1{font-size:1.4rem}"
    "dl{grid-template-columns:1fr}}",
    "@media print{body{max-width:none;padding:0;font-size:10pt}nav,.tools,.files{display:none}"
    ".drawing,.scroll{overflow:visible;max-height:none;border:0}.drawing svg{min-width:0}"
    "figure,dl>div{break-inside:avoid}h2,h3{break-after:avoid}th{position:static}"
    "table.long tbody tr:nth-child(n+41){display:none}a{color:inherit;text-decoration:none}"
    "thead{display:table-header-group}}",
    NULL};
