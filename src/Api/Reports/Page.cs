using System.Security.Cryptography;
using System.Text;

namespace HybridTrading.Api.Reports;

/// <summary>
/// One self-contained page: its style and the few lines of script inside, allowed by their hash, and nothing from anywhere else.
/// Light or dark as the reader's system is, printable, readable on a phone.
/// </summary>
internal static class Page
{
    private const string Style = """
        :root{color-scheme:light dark;--bg:#f7f7f5;--panel:#fff;--ink:#1d2226;--soft:#68717a;--line:#e7e7e3;--grid:#eeeeea;--one:#23688c;--two:#a3a9ae;
        --three:#b5762a;--four:#7a5aa6;--five:#3d8a86;--six:#a84f78;--gain:#2b7a57;--loss:#b5443a;--wash:#23688c22}
        @media(prefers-color-scheme:dark){:root{--bg:#101316;--panel:#171b1f;--ink:#e2e5e7;--soft:#909aa2;--line:#2a3036;--grid:#22272c;--one:#6fb3d4;--two:#69727a;
        --three:#d9a05b;--four:#ad92d8;--five:#6fc0ba;--six:#d888ae;--gain:#5fba91;--loss:#e2796d;--wash:#6fb3d428}}
        *{box-sizing:border-box}html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
        font-variant-numeric:tabular-nums}
        main{max-width:1180px;margin:0 auto;padding:28px 20px 48px}
        h1{font-size:24px;line-height:1.2;margin:0 0 4px;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
        h2{font-size:12px;margin:0 0 8px;font-weight:600;color:var(--soft);text-transform:uppercase;letter-spacing:.06em}
        .sub{color:var(--soft);margin:0 0 4px;overflow-wrap:anywhere}.sub code{font:12px ui-monospace,Menlo,Consolas,monospace}
        .tiles{display:grid;grid-template-columns:repeat(8,1fr);gap:1px;background:var(--line);border:1px solid var(--line);border-radius:8px;overflow:hidden;margin:20px 0}
        .tile{background:var(--panel);padding:12px 14px}.tile b{display:block;font-size:19px;font-weight:600;white-space:nowrap;letter-spacing:-.01em}
        .tile span{color:var(--soft);font-size:12px}
        .gain{color:var(--gain)}.loss{color:var(--loss)}
        .grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px}.cards{columns:3;column-gap:16px}.cards.two{columns:2}.cards section{break-inside:avoid}
        section,figure{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:0 0 16px;min-width:0}
        .grid section,.grid figure{margin:0}.grid{margin-bottom:16px}
        figcaption{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline;margin-bottom:6px}figcaption h2{margin:0}
        figcaption small,section>p{color:var(--soft);font-size:12px;margin:0}section>p{margin:6px 0 0}
        .key{white-space:nowrap}.key i{display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:5px;vertical-align:3px;background:currentColor}
        svg{display:block;width:100%;height:auto;touch-action:pan-y}svg.narrow{display:none}
        svg text{font-size:11px;fill:var(--soft)}
        svg line.grid{stroke:var(--grid)}.zero{stroke:var(--two)}.tick{stroke:var(--line)}.cursor{stroke:var(--soft);stroke-dasharray:2 3}
        .l1,.l2,.l3,.l4,.l5,.l6,.win,.lose,.dash{fill:none;stroke-width:1.5;stroke-linejoin:round}
        .l1{stroke:var(--one)}.l2{stroke:var(--two)}.l3{stroke:var(--three)}.l4{stroke:var(--four)}.l5{stroke:var(--five)}.l6{stroke:var(--six)}
        .c1{color:var(--one)}.c2{color:var(--two)}.c3{color:var(--three)}.c4{color:var(--four)}.c5{color:var(--five)}.c6{color:var(--six)}
        .fine{fill:none;stroke:var(--two);stroke-width:1}.win{stroke:var(--gain);stroke-width:1.3}.lose{stroke:var(--loss);stroke-width:1.3}
        .dash{stroke:var(--soft);stroke-dasharray:4 3;stroke-width:1}.wash{fill:var(--wash)}.fall{fill:var(--loss);fill-opacity:.22}
        .b1{fill:var(--one);fill-opacity:.75}.bg{fill:var(--gain);fill-opacity:.8}.bl{fill:var(--loss);fill-opacity:.8}.dg{fill:var(--gain)}.dl{fill:var(--loss)}
        .warn{color:var(--three)}.scroll{overflow-x:auto}.even{table-layout:fixed}.even thead th+th{overflow-wrap:anywhere;white-space:normal}
        .even tr>:first-child{position:sticky;left:0;background:var(--panel)}table{border-collapse:collapse;width:100%}
        td,th{padding:3px 0 3px 10px;text-align:right;font-weight:400;border-top:1px solid var(--grid);white-space:nowrap}
        tr>:first-child{text-align:left;padding-left:0;white-space:normal}thead th{color:var(--soft);font-size:12px;border-top:0}
        tbody tr:first-child>*{border-top-color:var(--line)}tbody th{color:var(--ink)}
        .conv{display:none;color:var(--soft);font-size:11px;line-height:1.35;max-width:46ch}body:has(#conv:checked) .conv{display:block}
        .toggle{color:var(--soft);font-size:13px;display:inline-flex;gap:6px;align-items:center;margin:0 0 10px;cursor:pointer}
        .heat td,.heat th{text-align:center;padding:4px 2px;border:1px solid var(--panel);font-size:12px}.heat th:first-child{text-align:left;color:var(--soft)}
        .p1{background:#2b7a571a}.p2{background:#2b7a5738}.p3{background:#2b7a575c}.p4{background:#2b7a5785}.n1{background:#b5443a1a}.n2{background:#b5443a38}
        .n3{background:#b5443a5c}.n4{background:#b5443a85}.sum{font-weight:600}
        .bars td.bar{width:30%;padding-left:14px}.bars svg{height:10px;display:block}
        #tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--bg);padding:4px 8px;border-radius:4px;font-size:12px;max-width:92vw}
        footer{color:var(--soft);font-size:12px;margin-top:20px;overflow-wrap:anywhere}
        @media(max-width:1000px){.tiles{grid-template-columns:repeat(4,1fr)}.cards{columns:2}}
        @media(max-width:700px){main{padding:16px 10px 32px}h1{font-size:20px}.tiles{grid-template-columns:repeat(2,1fr);margin:14px 0}.tile{padding:9px 11px}.tile b{font-size:17px}
        .cards,.cards.two{columns:1}.grid{grid-template-columns:minmax(0,1fr);gap:10px;margin-bottom:10px}section,figure{padding:10px;margin-bottom:10px}
        svg.wide{display:none}svg.narrow{display:block}.even{table-layout:auto;font-size:12.5px}.even tr>:first-child{min-width:92px}.even thead th+th{min-width:60px}
        .heat td,.heat th{font-size:9.5px;padding:3px 1px}.bars .extra{display:none}}
        @media print{:root{--bg:#fff;--panel:#fff;--ink:#000;--soft:#555;--line:#ccc;--grid:#e8e8e8;--one:#23688c;--two:#999;--gain:#2b7a57;--loss:#b5443a;--wash:#23688c22}
        body{font-size:10.5px;print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}.toggle,#tip{display:none}
        svg.wide{display:block}svg.narrow{display:none}section,figure{break-inside:avoid;border-color:#ddd}.tiles{grid-template-columns:repeat(8,1fr)}.tile b{font-size:13px}
        .grid{grid-template-columns:repeat(2,minmax(0,1fr))}.cards{columns:3}.cards.two{columns:2}}
        """;

    private const string Script = """
        const tip=document.getElementById('tip');
        for(const svg of document.querySelectorAll('svg[data-h]')){
          const points=svg.dataset.h.split(';').map(p=>{const i=p.indexOf('|');return[+p.slice(0,i),p.slice(i+1)]}),line=svg.querySelector('.cursor');
          svg.addEventListener('pointermove',e=>{
            const box=svg.getBoundingClientRect(),x=(e.clientX-box.left)*svg.viewBox.baseVal.width/box.width;
            const near=points.reduce((a,b)=>Math.abs(b[0]-x)<Math.abs(a[0]-x)?b:a);
            line.setAttribute('x1',near[0]);line.setAttribute('x2',near[0]);line.setAttribute('visibility','visible');
            tip.textContent=near[1];tip.hidden=false;
            tip.style.left=Math.max(4,Math.min(e.clientX+12,innerWidth-tip.offsetWidth-8))+'px';tip.style.top=Math.min(e.clientY+14,innerHeight-tip.offsetHeight-8)+'px';
          });
          svg.addEventListener('pointerleave',()=>{line.setAttribute('visibility','hidden');tip.hidden=true});
        }
        """;

    /// <param name="body">What stands in main, as HTML.</param>
    /// <param name="json">The figures that the page shows; its characters are those that System.Text.Json leaves, safe inside a script element.</param>
    public static string Render(string title, string body, string json)
    {
        string style = Style.ReplaceLineEndings("\n"), script = Script.ReplaceLineEndings("\n");
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{Hash(style)}'; script-src 'sha256-{Hash(script)}'; base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="generator" content="HybridTrading">
            <title>{Chart.Html(title)}</title>
            <style>{style}</style>
            </head>
            <body>
            <main>
            {body}
            </main>
            <div id="tip" hidden></div>
            <script type="application/json" id="figures">{json}</script>
            <script>{script}</script>
            </body>
            </html>

            """.ReplaceLineEndings("\n");
    }

    private static string Hash(string text) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
