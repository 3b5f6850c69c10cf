internal import Reports

/// The script of a live page: the report's, drawn again with each event of the server.
enum LiveScript {
    static let text =
        ReportScript.text + #"""

            live.top = (contents) => {
              const now = contents.live;
              const words = [`step ${shown(now.step)}${now.total_steps ? ` of ${shown(now.total_steps)}` : ""}`];
              if (now.epoch) words.push(`epoch ${now.epoch}${now.epochs ? ` of ${now.epochs}` : ""}`);
              if (isNumber(now.loss)) words.push(`loss ${shown(now.loss, 4)}`);
              if (isNumber(now.speed)) words.push(`${shown(now.speed, 1)} samples/s`);
              if (now.left) words.push(`${now.left} left`);
              const bar = now.total_steps ? el("progress", { max: now.total_steps, value: now.step,
                  "aria-label": "steps done" }) : null;
              return [el("p", {}, el("span", { class: "state", id: "state" }, now.state), words.join(", ")), bar];
            };
            live.workers = (contents) => {
              const now = contents.live;
              if (!now.workers.length) return [];
              const title = now.generation ? `Workers of generation ${now.generation}` : "Processes";
              return section(title, table(["rank", "host", "state", "threads", "lanes", "compute", "exchange", "wait",
                  "MB a step"], now.workers, [0, 3, 4, 5, 6, 7, 8]));
            };
            live.log = (contents) => contents.live.log.length ? section("Log",
                el("div", { class: "panel log", tabindex: "0" }, el("pre", {}, contents.live.log.join("\n")))) : [];

            /* Takes over what has changed: members by name, runs by index, columns of steps from an index on. */
            function merge(contents, change) {
              for (const [key, value] of Object.entries(change)) {
                if (key !== "runs") { contents[key] = value; continue; }
                value.forEach((own, index) => {
                  for (const [name, member] of Object.entries(own)) {
                    if (name !== "steps" || !isNumber(member.from)) { contents.runs[index][name] = member; continue; }
                    const steps = contents.runs[index].steps;
                    for (const [column, values] of Object.entries(member.columns)) {
                      steps[column].length = member.from;
                      steps[column].push(...values);
                    }
                  }
                });
              }
            }

            let contents = null, isDue = false;
            /* A hidden page is drawn when it becomes visible; one with selected text stays as it is. */
            function draw() {
              if (contents === null || !isDue || document.hidden || !getSelection().isCollapsed) return;
              isDue = false;
              const log = document.querySelector(".log");
              const isAtEnd = log === null || log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
              const top = log === null ? 0 : log.scrollTop;
              render(contents);
              const next = document.querySelector(".log");
              if (next !== null) next.scrollTop = isAtEnd ? next.scrollHeight : top;
            }
            document.addEventListener("visibilitychange", draw);
            document.addEventListener("selectionchange", draw);
            const token = new URLSearchParams(location.search).get("token") || "";
            const source = new EventSource(`events?token=${encodeURIComponent(token)}`);
            source.addEventListener("full", (event) => { contents = JSON.parse(event.data); isDue = true; draw(); });
            source.addEventListener("change", (event) => {
              if (contents === null) return;
              merge(contents, JSON.parse(event.data));
              isDue = true;
              draw();
            });
            const lost = document.getElementById("lost");
            source.addEventListener("open", () => { lost.hidden = true; });
            source.addEventListener("error", () => {
              lost.hidden = false;
              lost.textContent = source.readyState === EventSource.CLOSED
                  ? "The program that serves this page has ended or was started again: open its new address."
                  : "No connection to the program that serves this page; trying again.";
            });
            """#
}
