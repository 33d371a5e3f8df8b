"use strict";
// Plain JavaScript, because start.mjs needs it before the packages that run TypeScript are installed.

/** 950 → "0.9 s", 75000 → "1 min 15 s", 3720000 → "1 h 2 min". */
function formatDuration(ms) {
    const seconds = ms / 1000;
    if (seconds < 10) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
    const whole = Math.floor(seconds);
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
    return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function createProgress({ stream = process.stderr, now = Date.now, tickMs, color } = {}) {
    const live = Boolean(stream.isTTY);
    const colored = color ?? (live && !process.env.NO_COLOR);
    const paint = (code, text) => (colored ? `\u001b[${code}m${text}\u001b[0m` : text);
    const every = tickMs ?? (live ? 1000 : 15_000);
    const running = [];
    let timer;
    let drawn = false;

    const label = (task) => `${task.title}${task.about ? ` (about ${task.about})` : ""}`;

    function erase() {
        if (drawn) stream.write("\r\u001b[2K");
        drawn = false;
    }

    function draw() {
        const task = running.at(-1);
        if (!live || task === undefined) return;
        const others = running.length > 1 ? ` [${running.length} steps]` : "";
        const text = `… ${label(task)} ${formatDuration(now() - task.started)}${others}${task.detail ? `: ${task.detail}` : ""}`;
        erase();
        const width = Math.max(20, (stream.columns ?? 80) - 1);
        stream.write(text.length > width ? `${text.slice(0, width - 1)}…` : text);
        drawn = true;
    }

    function print(line) {
        erase();
        stream.write(`${line}\n`);
        draw();
    }

    function tick() {
        if (live) return draw();
        for (const task of running) {
            const detail = task.detail ? `: ${task.detail}` : "";
            stream.write(`  … ${task.title}, ${formatDuration(now() - task.started)} so far${detail}\n`);
        }
    }

    async function step(title, options, action) {
        const task = { title, about: options.about, started: now(), detail: "" };
        running.push(task);
        if (live) draw();
        else stream.write(`… ${label(task)}\n`);
        if (timer === undefined) {
            timer = setInterval(tick, every);
            // A step that waits for nothing must not keep the process alive.
            timer.unref();
        }
        const finish = (line) => {
            running.splice(running.indexOf(task), 1);
            if (running.length === 0) {
                clearInterval(timer);
                timer = undefined;
            }
            print(line);
        };
        try {
            const result = await action((detail) => {
                task.detail = detail;
                draw();
            });
            finish(`${paint(32, "✓")} ${title} ${paint(2, formatDuration(now() - task.started))}`);
            return result;
        } catch (error) {
            finish(`${paint(31, "✗")} ${title} failed after ${formatDuration(now() - task.started)}`);
            throw error;
        }
    }

    function summary(title, rows) {
        const width = Math.max(0, ...rows.map(([name]) => name.length));
        print([title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join("\n"));
    }

    return { step, note: print, summary };
}

const shared = createProgress();

module.exports = { createProgress, formatDuration, step: shared.step, note: shared.note, summary: shared.summary };
