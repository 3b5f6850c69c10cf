/// The script of a report: draws the charts and tables of its data.
package enum ReportScript {
    package static let text = #"""
        "use strict";
        const space = "http://www.w3.org/2000/svg";

        /* Elements are made with text nodes only: the data is never interpreted as markup. */
        function el(name, attributes, ...children) {
          const node = name.startsWith("svg:") ? document.createElementNS(space,
              name.slice(4)) : document.createElement(name);
          for (const [key, value] of Object.entries(attributes || {})) {
            if (key === "style") { for (const [property, own] of Object.entries(value)) node.style.setProperty(property,
                own); }
            else node.setAttribute(key, value);
          }
          for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
          return node;
        }
        const color = (index) => `var(--c${index % 6})`;
        const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
        function shown(value, places) {
          if (!isNumber(value)) return value === null || value === undefined ? "–" : String(value);
          if (places !== undefined) return value.toFixed(places);
          if (Number.isInteger(value)) return value.toLocaleString("en-US");
          const size = Math.abs(value);
          return size >= 1000 ? value.toFixed(0) : size >= 100 ? value.toFixed(1) : size >= 0.001 ?
              value.toPrecision(4) : value.toExponential(2);
        }

        /* Round ticks from low to high. */
        function ticks(low, high, count) {
          const rough = (high - low) / Math.max(1, count);
          const unit = 10 ** Math.floor(Math.log10(rough));
          const step = [1, 2, 5, 10].map((factor) => factor * unit).find((size) => size >= rough);
          const list = [];
          for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9;
              index += 1) list.push(index * step);
          return list;
        }

        /* Charts that are on the page, by title: a page that is drawn again keeps them, and the pointer's values. */
        const charts = new Map();
        /* A chart of series {name, color, x, y, low?, high?, points?, dash?}; marks {x, text} are vertical lines. */
        function chart(title, series, options) {
          if (!series.some((line) => line.y.some(isNumber))) return null;
          if (!charts.has(title)) charts.set(title, newChart(title));
          const known = charts.get(title);
          known.show(series, options);
          return known.panel;
        }
        function newChart(title) {
          const holder = el("div", {});
          const readout = el("div", { class: "readout soft", "aria-live": "polite" });
          const legend = el("div", { class: "legend" });
          const panel = el("section", { class: "panel" }, el("h3", {}, title), holder, readout, legend);
          const known = { panel, draw: () => {} };
          let pointer = null, note = null;
          known.show = (series, options) => {
            known.draw = drawing(title, series, options, holder, readout, legend, () => pointer,
                (x) => { pointer = x; });
            if (note) note.remove();
            note = options && options.note ? el("p", { class: "soft small" }, options.note) : null;
            if (note) panel.append(note);
          };
          new ResizeObserver(() => requestAnimationFrame(() => known.draw())).observe(holder);
          return known;
        }
        function drawing(title, series, options, holder, readout, legend, pointer, point) {
          const settings = Object.assign({ height: 220, marks: [], x: "step" }, options || {});
          const used = series.filter((line) => line.y.some(isNumber));
          legend.replaceChildren(...used.map((line) =>
            el("span", {}, el("span", { class: "key", style: { background: line.color } }), line.name)));
          const values = used.flatMap((line) => [...line.y, ...(line.low || []),
              ...(line.high || [])]).filter(isNumber);
          let [bottom, top] = settings.range || [Math.min(...bounds(values)), Math.max(...bounds(values))];
          if (top - bottom < 1e-12) { const pad = Math.abs(top) * 0.05 || 1; bottom -= pad; top += pad; }
          const xs = used.flatMap((line) => line.x);
          let [left, right] = settings.domain || bounds(xs);
          if (right - left < 1e-12) { left -= 1; right += 1; }

          function draw() {
            const width = Math.max(240, holder.clientWidth);
            const box = { left: 52, right: width - 10, top: 8, bottom: settings.height - 24 };
            const atX = (x) => box.left + (x - left) / (right - left) * (box.right - box.left);
            const atY = (y) => box.bottom - (y - bottom) / (top - bottom) * (box.bottom - box.top);
            const svg = el("svg:svg", { viewBox: `0 0 ${width} ${settings.height}`, height: settings.height,
                role: "img", "aria-label": title });
            for (const y of ticks(bottom, top, 5)) {
              svg.append(el("svg:line", { x1: box.left, x2: box.right, y1: atY(y), y2: atY(y),
                  stroke: "var(--grid)" }));
              svg.append(el("svg:text", { x: box.left - 6, y: atY(y) + 4, "text-anchor": "end" }, tick(y)));
            }
            const places = ticks(left, right, Math.max(3, Math.floor(width / 75)));
            for (const x of places) {
              svg.append(el("svg:text", { x: Math.min(box.right - 4, atX(x)), y: settings.height - 7,
                  "text-anchor": "middle" }, tick(x)));
            }
            for (const mark of settings.marks) {
              svg.append(el("svg:line", { x1: atX(mark.x), x2: atX(mark.x), y1: box.top, y2: box.bottom,
                  stroke: "var(--soft)", "stroke-dasharray": "2 3" },
                el("svg:title", {}, mark.text)));
            }
            for (const line of used) {
              if (line.low) {
                const there = line.x.map((x,
                    index) => index).filter((index) => isNumber(line.low[index]) && isNumber(line.high[index]));
                const edge = (list, side) => list.map((index) =>
                    `${atX(line.x[index]).toFixed(1)},${atY(side[index]).toFixed(1)}`);
                const outline = edge(there, line.high).concat(edge([...there].reverse(), line.low));
                svg.append(el("svg:polygon", { points: outline.join(" "), fill: line.color, opacity: 0.16 }));
              }
              let path = "", isOpen = false;
              line.x.forEach((x, index) => {
                const y = line.y[index];
                if (!isNumber(y)) { isOpen = false; return; }
                path += `${isOpen ? "L" : "M"}${atX(x).toFixed(1)},${atY(y).toFixed(1)}`;
                isOpen = true;
              });
              svg.append(el("svg:path", { d: path, fill: "none", stroke: line.color, "stroke-width": 1.8,
                  "stroke-dasharray": line.dash || "none" }));
              if (line.points) line.x.forEach((x, index) => {
                if (isNumber(line.y[index])) svg.append(el("svg:circle", { cx: atX(x), cy: atY(line.y[index]), r: 3.2,
                    fill: line.color }));
              });
            }
            const cursor = el("svg:line", { y1: box.top, y2: box.bottom, stroke: "var(--soft)", visibility: "hidden" });
            svg.append(cursor);
            function read(clientX) {
              point(clientX);
              const place = svg.getBoundingClientRect();
              const x = left + ((clientX - place.left) * width / place.width - box.left) / (box.right - box.left)
                  * (right - left);
              const near = used.map((line) => ({ line, index: nearest(line, x) })).filter((found) => found.index >= 0);
              if (near.length === 0) return;
              const best = near.reduce((a,
                  b) => Math.abs(b.line.x[b.index] - x) < Math.abs(a.line.x[a.index] - x) ? b : a);
              const at = best.line.x[best.index];
              cursor.setAttribute("x1", atX(at));
              cursor.setAttribute("x2", atX(at));
              cursor.setAttribute("visibility", "visible");
              const words = near.map(({ line, index }) =>
                `${line.name} ${shown(line.y[index])}${line.x[index] === at ? "" : ` (${settings.x}
                    ${shown(line.x[index])})`}`);
              readout.textContent = `${settings.x} ${shown(at)}: ${words.join(", ")}`;
            }
            svg.addEventListener("pointermove", (event) => read(event.clientX));
            svg.addEventListener("pointerleave", () => { point(null); cursor.setAttribute("visibility", "hidden");
                readout.textContent = ""; });
            holder.replaceChildren(svg);
            if (pointer() !== null) read(pointer());
          }
          return draw;
        }
        function bounds(values) {
          let [low, high] = [Infinity, -Infinity];
          for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
          return [low, high];
        }
        function tick(value) {
          if (Math.abs(value) < 1e-15) return "0";
          const size = Math.abs(value);
          if (size < 0.001 || size >= 1e6) return value.toExponential(1).replace(".0e", "e");
          return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 });
        }
        function nearest(line, x) {
          let best = -1;
          line.x.forEach((own, index) => {
            if (isNumber(line.y[index]) && (best < 0 || Math.abs(own - x) < Math.abs(line.x[best] - x))) best = index;
          });
          return best;
        }

        function table(header, rows, numbers, className) {
          const cell = (name, value, column) =>
            el(name, numbers.includes(column) ? { class: "number" } : className && column === 0 ? {
                class: className } : {}, shown(value));
          return el("div", { class: "scroll" }, el("table", {},
            el("thead", {}, el("tr", {}, header.map((value, column) => cell("th", value, column)))),
            el("tbody", {}, rows.map((row) => el("tr", {}, row.map((value, column) => cell("td", value, column)))))));
        }
        function facts(list) { return el("dl", {}, list.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {},
            shown(value))])); }
        function section(title, ...content) {
          const there = content.flat().filter(Boolean);
          return there.length ? [el("h2", {}, title), ...there] : [];
        }
        function grid(...panels) { const there = panels.flat().filter(Boolean); return there.length ? el("div", {
            class: "grid" }, there) : null; }

        let data = null, many = false, extent = [0, 1], marks = [];
        /* Sections of a live page, each a function of the contents. */
        const live = { top: () => [], workers: () => [], log: () => [] };
        const label = (run, words) => many ? `${run.name}: ${words}` : words;
        function steps(key, words, band) {
          return data.runs.map((run, index) => ({
            name: label(run, words), color: color(index), x: run.steps.step, y: run.steps[key] || [],
            low: band && !many ? run.steps.loss_low : undefined, high: band && !many ? run.steps.loss_high : undefined,
          }));
        }
        function evaluations(key, split, words, shift) {
          return data.runs.map((run, index) => {
            const own = run.evaluations.filter((event) => event.split === split && isNumber(event[key]));
            return {
              name: label(run, words), color: color(many ? index : index + shift), x: own.map((event) => event.step),
                  y: own.map((event) => event[key]),
              points: true, dash: many ? "5 3" : undefined,
            };
          });
        }
        const overSteps = (more) => Object.assign({ domain: extent }, more || {});

        function curves() {
          const metrics = [...new Set(data.runs.flatMap((run) => run.evaluations.flatMap((event) =>
              Object.keys(event))))]
            .filter((key) => !["split", "step", "epoch", "samples", "seconds", "loss"].includes(key));
          return grid(
            chart("Loss", [...steps("loss", "train", true), ...evaluations("loss", "validation", "validation", 1),
              ...evaluations("loss", "test", "test", 2)], overSteps({ marks })),
            metrics.map((key) => chart(named(key), [...evaluations(key, "validation", "validation", 1),
              ...evaluations(key, "source-validation", "source validation", 3), ...evaluations(key, "test", "test", 2)],
                  overSteps())),
            chart("Source task's loss", [...steps("source_loss", "train"),
              ...evaluations("loss", "source-validation", "source validation", 3)], overSteps()),
            chart("Learning rate", steps("learning_rate", "learning rate"), overSteps()),
            chart("Gradient norm", steps("gradient_norm", "gradient norm"), overSteps({ marks })),
            chart("Samples per second", steps("speed", "samples/s"), overSteps({ marks })));
        }
        function named(key) {
          const names = { f1: "F1", roc_auc: "ROC-AUC", mse: "Mean squared error", macro_f1: "Macro F1",
              entity_f1: "Entity F1" };
          const exact = data.runs.some((run) => run.evaluations.some((event) => isNumber(event.exact_match)));
          if (key === "accuracy" && exact) return "Label accuracy";
          const words = key.replaceAll("_", " ");
          return names[key] || words.slice(0, 1).toUpperCase() + words.slice(1);
        }

        function confusion(scored) {
          if (!scored.confusion || scored.confusion.length > 40) return null;
          const rows = scored.confusion.map((row, truth) => {
            const all = row.reduce((sum, count) => sum + count, 0);
            return el("tr", {}, el("th", {}, scored.labels[truth]), row.map((count, answer) => el("td", {
              title: `${scored.labels[truth]} answered as ${scored.labels[answer]}: ${count} of ${all}`,
              style: { background: `rgba(var(--heat), ${(all ? 0.55 * count / all : 0).toFixed(3)})` },
            }, shown(count))));
          });
          return el("section", { class: "panel" }, el("h3", {}, "Confusion matrix"),
            el("p", { class: "soft small" }, "Rows are the right classes, columns the answers."),
            el("div", { class: "scroll" }, el("table", { class: "matrix" }, el("thead", {},
              el("tr", {}, el("th", {}), scored.labels.map((name) => el("th", {}, name)))), el("tbody", {}, rows))));
        }
        function classes(scored) {
          if (!scored.classes || !scored.classes.length) return null;
          return el("section", { class: "panel" }, el("h3", {}, "By class"), table(["class", "samples", "precision",
              "recall", "F1"],
            scored.classes.map((own) => [own.label, own.samples,
                ...[own.precision, own.recall, own.f1].map((value) => shown(value, 4))]), [1, 2, 3, 4]));
        }
        function calibration(scored) {
          const bins = (scored.calibration || []).filter((bin) => bin.samples > 0);
          if (!bins.length) return null;
          return chart("Calibration", [
            { name: "as sure as right", color: "var(--soft)", x: [0, 1], y: [0, 1], dash: "3 3" },
            { name: "share of right answers", color: color(0), x: bins.map((bin) => bin.confidence),
                y: bins.map((bin) => bin.accuracy), points: true },
          ], { domain: [0, 1], range: [0, 1], x: "confidence",
              note: `Expected calibration error ${shown(scored.calibration_error, 4)}, ${bins.length} bins in use.` });
        }
        function answers(title, list, sure, note) {
          if (!list || !list.length) return null;
          const rows = list.map((own) => el("tr", {}, el("td", { class: "number" }, shown(own.row)), el("td", {},
              own.truth), el("td", {}, own.answer),
            el("td", { class: "number" }, shown(own.confidence, 3)),
            own.text === undefined ? null : el("td", { class: "text", dir: "auto" },
                own.pair === undefined ? own.text : `${own.text}\n${own.pair}`)));
          const header = ["row", "label", "answer",
              sure || "confidence"].concat(list.some((own) => own.text !== undefined) ? ["text"] : []);
          return el("section", { class: "panel" }, el("h3", {}, title), note ? el("p", { class: "soft small" },
              note) : null,
            el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, header.map((name) => el("th",
                {}, name)))), el("tbody", {}, rows))));
        }
        function lengths(split) {
          const list = [["samples", split.samples], ["tokens, mean", split.mean_length], ["tokens, median",
              split.median_length],
            ["95 % have at most", split.length_95_percent], ["longest", split.longest], ["truncated", split.truncated]];
          if (isNumber(split.mean_target)) list.push(["target, mean", split.mean_target], ["target, deviation",
              split.target_deviation]);
          const all = (split.classes || []).reduce((sum, own) => sum + own.count, 0);
          return el("section", { class: "panel" }, el("h3", {}, split.split), facts(list), all ? table(["label",
              "count", "share"],
            split.classes.slice(0, 60).map((own) => [own.label, own.count, `${(100 * own.count / all).toFixed(1)} %`]),
                [1, 2]) : null);
        }

        /* Draws the page of these contents; drawn again, it keeps its charts and its place. */
        function render(contents) {
          data = contents;
          many = data.runs.length > 1;
          /* All charts over steps have the same extent, from 0 to the last step. */
          extent = [0, bounds(data.runs.flatMap((run) => [...run.steps.step,
              ...run.evaluations.map((event) => event.step)]).concat(1))[1]];
          const only = data.runs.length === 1 ? data.runs[0] : null;
          marks = only === null ? [] : only.events.map((event) => ({ x: event.step, text: event.text }));
          const content = [];
          content.push(el("h1", {}, data.title), el("p", { class: "result" }, data.sentence));
          if (data.note) content.push(el("p", { class: "soft" }, data.note));
          if (many) {
            content.push(...section("Runs", table(data.comparison.header, data.comparison.rows,
                data.comparison.header.map((_, column) => column).slice(1)),
              data.comparison.differences.length
                ? [el("h3", {}, "Where their configurations differ"), table(["option",
                    ...data.runs.map((run) => run.name)], data.comparison.differences, [])]
                : el("p", { class: "soft" }, "Their configurations are the same.")));
          }
          content.push(...live.top(data), ...section("Curves", curves()), ...live.workers(data), ...live.log(data));
          for (const scored of data.scored) {
            const many = scored.labels.length > 40 ? ` of ${scored.labels.length} classes` : "";
            content.push(...section(`${scored.title}${many}`, grid(confusion(scored), classes(scored),
                calibration(scored)),
              scored.lack ? el("p", { class: "soft" }, scored.lack) : null, answers("Most confident mistakes",
                  scored.mistakes),
              answers("Least certain answers", scored.uncertain), answers("Furthest answers", scored.furthest,
                  "off by")));
          }
          content.push(...section("Data", grid(data.data.map(lengths))));
          content.push(...section("Workers over time",
            grid(chart("Workers", steps("workers", "workers"), overSteps({ marks }))),
            only !== null && only.events.length ? table(["step", "what happened"],
                only.events.map((event) => [event.step, event.text]), [0]) : null));
          for (const run of data.runs) content.push(...section(many ? run.name : "The run", facts(run.facts)));
          for (const run of data.runs) {
            if (run.reproduce) content.push(...section(many ? `The same bits as ${run.name}` : "The same bits",
              el("div", { class: "panel" }, el("pre", {}, run.reproduce))));
          }
          content.push(el("p", { class: "soft small" }, data.made));
          document.getElementById("page").replaceChildren(...content);
          /* At once, not in the next frame: a browser that draws none, such as one that prints, has them, too. */
          for (const known of charts.values()) if (known.panel.isConnected) known.draw();
        }
        """#

    /// The script of a page that has its data in it.
    static let standalone =
        text + """

            render(JSON.parse(document.getElementById("data").textContent));
            """
}
