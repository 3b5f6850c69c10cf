/// The style of a report: light and dark, for phones and desktops.
package enum ReportStyle {
    package static let text = #"""
        :root {
          --ground: #ffffff; --panel: #f6f7f9; --ink: #1c2128; --soft: #59636e; --line: #d5dae0; --grid: #e8ebef;
          --c0: #0b62a8; --c1: #c14a09; --c2: #0a7a5a; --c3: #a0447e; --c4: #8a6d00; --c5: #3f78b5; --heat: 11, 98, 168;
          color-scheme: light dark;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #12161c; --panel: #1b2129; --ink: #e4e8ee; --soft: #9aa5b1; --line: #343c47; --grid: #262d36;
            --c0: #6cb2ee; --c1: #f09a5e; --c2: #4fc79d; --c3: #dd93c0; --c4: #dabb4c; --c5: #9cc4ea; --heat: 108, 178,
                238;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0 auto; max-width: 1180px; padding: 24px 20px 64px; background: var(--ground); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
        }
        h1 { font-size: 22px; line-height: 1.3; margin: 0 0 4px; overflow-wrap: anywhere; }
        h2 { font-size: 17px; margin: 36px 0 10px; }
        h3 { font-size: 14px; margin: 0 0 6px; font-weight: 600; }
        p { margin: 0 0 10px; max-width: 75ch; }
        .result { font-size: 17px; }
        .soft { color: var(--soft); }
        .small { font-size: 13px; }
        .grid { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); }
        .panel + .panel, .grid + .panel, .scroll + h3, .panel + .scroll { margin-top: 16px; }
        .grid > .panel { margin-top: 0; }
        .panel { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px;
            min-width: 0; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
        th, td { padding: 4px 10px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }
        th { color: var(--soft); font-weight: 600; }
        td.number, th.number { text-align: right; }
        td.text { min-width: 240px; overflow-wrap: anywhere; white-space: pre-wrap; }
        .matrix td { text-align: right; min-width: 44px; padding: 5px 8px; border: 1px solid var(--ground); }
        .matrix th { border: 0; padding: 4px 8px; max-width: 120px; overflow-wrap: anywhere; }
        code, pre { font: 12.5px/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
        pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
        svg { display: block; width: 100%; touch-action: pan-y; }
        svg text { fill: var(--soft); font-size: 11px; }
        .legend { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 12.5px; color: var(--soft); margin-top: 4px;
            }
        .key { display: inline-block; width: 12px; height: 3px; border-radius: 2px; margin-right: 6px;
            vertical-align: middle; }
        .readout { min-height: 1.5em; font-size: 12.5px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
        dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 3px 16px; margin: 0;
            font-size: 13.5px; }
        dt { color: var(--soft); }
        dd { margin: 0; overflow-wrap: anywhere; }
        progress { width: 100%; max-width: 560px; height: 10px; accent-color: var(--c0); display: block; }
        .state { display: inline-block; padding: 1px 10px; border: 1px solid var(--line); border-radius: 999px;
            font-size: 13px; margin-right: 8px; }
        .log { max-height: 320px; overflow: auto; }
        @media (max-width: 520px) {
          body { padding: 16px 12px 48px; }
          dl { grid-template-columns: 1fr; gap: 0; }
          dd { margin-bottom: 6px; }
        }
        @media print { .panel { break-inside: avoid; } }
        """#
}
