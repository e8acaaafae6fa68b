"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const log = data.log;
  const $ = (id) => document.getElementById(id);
  const audio = $("audio"), scroller = $("scroller"), inner = $("inner"), cursor = $("cursor");
  const length = Math.max(data.duration, 0.1);
  const STAGES = [
    ["end_of_turn", "End of turn", "--end-of-turn"],
    ["llm_first_token", "Model's first word", "--llm"],
    ["tts_first_audio", "First clause and voice", "--tts"],
    ["playout", "Playout", "--playout"],
  ];

  // ---- small helpers
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const minutes = (t, digits = 0) => {
    const tenths = Math.round(Math.max(0, t) * 10 ** digits) / 10 ** digits;
    const seconds = (tenths % 60).toFixed(digits);
    return `${Math.floor(tenths / 60)}:${tenths % 60 < 10 ? "0" : ""}${seconds}`;
  };
  const secs = (v) => (v === null || v === undefined ? "–" : `${v.toFixed(2)} s`);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const argumentList = (o) => Object.entries(o).map(([k, v]) => `${k}=${JSON.stringify(v)}`).join(", ");
  const outcome = (value) => (value && typeof value === "object" && !Array.isArray(value)
    ? argumentList(value) : JSON.stringify(value));

  // ---- header, tiles, facts
  $("title").textContent = log.title;
  const started = log.started_at ? new Date(log.started_at) : null;
  $("subtitle").textContent = [
    started && !Number.isNaN(started.getTime())
      ? started.toLocaleString([], { dateStyle: "long", timeStyle: "short" }) : "",
    `${minutes(length)} min`,
  ].filter(Boolean).join(" · ");
  for (const tile of data.tiles) {
    const node = make("div", `tile${tile.bad ? " bad" : ""}`);
    const value = make("b", "", tile.value);
    if (tile.unit) value.append(" ", make("small", "", tile.unit));
    node.append(value, make("span", "", tile.label));
    $("tiles").append(node);
  }
  for (const [term, text] of Object.entries({ ...log.parts, ...log.notes })) {
    $("facts").append(make("dt", "", term), make("dd", "", text));
  }
  const failures = log.marks.filter((mark) => mark.kind === "failure");
  if (failures.length) {
    const box = $("verdict");
    box.hidden = false;
    box.append(make("h2", "", "Fell short"));
    for (const mark of failures) {
      const button = make("button");
      button.type = "button";
      button.append(make("time", "", minutes(mark.at, 1)), mark.text);
      if (mark.detail) button.append(make("pre", "", mark.detail));
      button.addEventListener("click", () => seek(mark.at));
      box.append(button);
    }
  }
  const words = (m) => {
    if (typeof m.content === "string" && m.content) return m.content;
    if (Array.isArray(m.content)) return m.content.map((p) => p.text || `[${p.type}]`).join(" ");
    return (m.tool_calls || []).map((c) => `${c.function.name}(${c.function.arguments})`).join("\n");
  };
  for (const message of log.context) {
    const item = make("li");
    item.append(make("b", "", message.role), make("span", "", words(message)));
    $("context").append(item);
  }
  if (!log.context.length) $("context-box").remove();
  for (const decision of log.decisions) {
    const item = make("li");
    const on = decision.fact ? `, on ${decision.fact}` : "";
    const why = `${decision.reason} (${decision.strategy || "the turn machine"}${on})`;
    item.append(make("b", "", `${decision.at.toFixed(2)} s ${decision.what}`), make("span", "", why));
    $("decisions").append(item);
  }
  if (!log.decisions.length) $("decisions-box").remove();
  else if (log.marks.length) $("decisions-box").open = true;
  const legend = (list, entries) => {
    for (const [name, variable] of entries) {
      const item = make("li"), swatch = make("i");
      swatch.style.background = `var(${variable})`;
      item.append(swatch, name);
      list.append(item);
    }
  };
  legend($("legend"), [["Caller", "--caller"], ["Agent", "--agent"], ["Tool", "--tool"], ["Interruption", "--alert"]]);
  legend($("stages"), STAGES.map(([, name, variable]) => [name, variable]));

  // ---- transcript
  const rows = [];
  const addRow = (kind, start, end, who, fill) => {
    const row = make("button", `row ${kind}`);
    row.type = "button";
    row.dataset.start = start;
    const what = make("span", "what"), tail = make("span", "end");
    row.append(make("time", "", minutes(start)), make("span", "who", who), what, tail);
    fill(what, tail);
    row.addEventListener("click", () => { seek(start); play(); });
    rows.push({ start, end, row, kind });
  };
  for (const turn of log.user_turns) {
    addRow("caller", turn.start, turn.speech_end ?? turn.stopped ?? turn.start + 1, "Caller",
      (what, tail) => {
        what.textContent = turn.text || "(nothing was understood)";
        if (turn.interrupting) tail.append(make("span", "pill cut", "interrupts"));
      });
  }
  for (const turn of log.agent_turns) {
    if (turn.start === null) continue;
    addRow("agent", turn.start, turn.end ?? turn.start + 1, "Agent", (what, tail) => {
      what.append(turn.heard);
      if (turn.unheard && turn.interrupted) {
        const rest = make("s", "", turn.unheard);
        rest.title = "Generated, but never heard";
        what.append(" ", rest);
      }
      const total = turn.latency && turn.latency.total;
      if (total !== null && total !== undefined && turn.reply_to !== null) {
        tail.append(make("span", "pill", `${total.toFixed(1)} s`));
      }
      if (turn.interrupted) tail.append(make("span", "pill cut", "cut off"));
    });
  }
  for (const call of log.tools) {
    addRow("tool", call.start, call.end ?? length, "Tool", (what, tail) => {
      what.append(make("code", "", `${call.name}(${argumentList(call.arguments)})`));
      if (call.end !== null) what.append(make("code", "", `→ ${outcome(call.result)}`));
      tail.append(make("span", "pill", call.end === null ? "running" : `${(call.end - call.start).toFixed(1)} s`));
    });
  }
  for (const cut of log.interruptions) {
    if (log.user_turns.some((t) => t.interrupting && t.start <= cut.at + 0.05 && t.started >= cut.at - 1)) continue;
    addRow("alert", cut.at, cut.at, "", (what) => { what.textContent = "The caller interrupts"; });
  }
  for (const error of log.errors) {
    addRow("alert", error.at, error.at, "Error", (what) => {
      what.textContent = `${error.processor ?? ""} ${error.message}`.trim();
    });
  }
  const strikes = new Map();
  for (const mark of log.marks) strikes.set(mark.text, [...(strikes.get(mark.text) ?? []), mark]);
  for (const mark of log.marks) {
    if (mark.kind === "step") continue;
    const same = strikes.get(mark.text), often = mark.kind === "fault" && same.length > 4;
    if (often && same[0] !== mark) continue;
    addRow("alert", mark.at, mark.at, mark.kind === "fault" ? "Fault" : "Failed", (what, tail) => {
      what.textContent = mark.text;
      if (often) tail.append(make("span", "pill", `${same.length} times`));
    });
  }
  rows.sort((a, b) => a.start - b.start);
  for (const { row } of rows) {
    const item = make("li");
    item.append(row);
    $("transcript").append(item);
  }

  // ---- response times
  const replies = log.agent_turns.filter((t) => t.start !== null && t.reply_to !== null && t.latency);
  const stagesOf = (latency) => STAGES.map(([key, name, variable]) => ({ name, variable, value: latency[key] ?? 0 }));
  const longest = Math.max(0.5, ...replies.map((t) => t.latency.total ?? 0));
  for (const turn of replies) {
    const bar = make("button", "bar");
    bar.type = "button";
    const track = make("span", "track");
    for (const stage of stagesOf(turn.latency)) {
      const part = make("i");
      part.style.width = `${(100 * stage.value) / longest}%`;
      part.style.background = `var(${stage.variable})`;
      part.title = `${stage.name}: ${secs(stage.value)}`;
      track.append(part);
    }
    const asked = log.user_turns.find((u) => u.index === turn.reply_to);
    bar.append(make("span", "name", asked ? asked.text : turn.heard), track, make("b", "", secs(turn.latency.total)));
    bar.addEventListener("click", () => seek((asked && asked.start) ?? turn.start));
    $("bars").append(bar);
  }
  const head = make("tr");
  head.append(...["Reply to", "End of turn", "STT", "LLM", "TTS", "Playout", "Total"].map((t) => make("th", "", t)));
  $("figures").append(head);
  for (const turn of replies) {
    const l = turn.latency, line = make("tr");
    line.append(make("td", "", `Turn ${turn.reply_to + 1}${turn.trigger === "speak" ? " (filler)" : ""}`));
    for (const value of [l.end_of_turn, l.stt, l.llm_first_token, l.tts_first_audio, l.playout, l.total]) {
      line.append(make("td", "", secs(value)));
    }
    $("figures").append(line);
  }

  // ---- the stage
  const peaks = { caller: bytes(data.peaks.caller), agent: bytes(data.peaks.agent) };
  const rate = data.peaks.per_second;
  let scale = 10; // pixels a second
  const fitted = () => scroller.clientWidth / length;
  const placed = [];
  const place = (box, className, start, end, text, title, short = "") => {
    const node = make("div", className, text);
    if (title) node.title = title;
    if (text && end !== null) Object.assign(node.dataset, { text, short });
    box.append(node);
    placed.push({ node, start, end });
    return node;
  };
  for (const turn of log.user_turns) {
    const end = turn.speech_end ?? turn.stopped ?? turn.start;
    place($("bands-caller"), "band caller", turn.start, end, turn.text, turn.text, `${turn.index + 1}`);
  }
  for (const turn of log.agent_turns) {
    if (turn.start === null) continue;
    const className = `band agent${turn.interrupted ? " cut" : ""}`;
    place($("bands-agent"), className, turn.start, turn.end ?? turn.start, turn.heard, turn.heard);
    const asked = log.user_turns.find((u) => u.index === turn.reply_to);
    const first = log.agent_turns.find((t) => t.reply_to === turn.reply_to && t.start !== null);
    if (!asked || first !== turn || !turn.latency || turn.latency.total === null) continue;
    const begin = turn.start - turn.latency.total;
    const bar = place($("bands-wait"), "wait-bar", begin, turn.start, undefined, `Waited ${secs(turn.latency.total)}`);
    for (const stage of stagesOf(turn.latency)) {
      const part = make("i");
      part.style.width = `${(100 * stage.value) / turn.latency.total}%`;
      part.style.background = `var(${stage.variable})`;
      part.title = `${stage.name}: ${secs(stage.value)}`;
      bar.append(part);
    }
    place($("bands-wait"), "wait-total", turn.start + 0.01, null, `\u00a0${turn.latency.total.toFixed(1)} s`);
  }
  const lanes = [];
  for (const call of log.tools) {
    const end = call.end ?? length;
    let lane = lanes.findIndex((free) => free <= call.start);
    if (lane < 0) lane = lanes.push(0) - 1;
    lanes[lane] = end + 0.2;
    const text = `${call.name}(${argumentList(call.arguments)})`;
    const bar = place($("bands-tools"), `tool-bar${call.outcome === "result" ? "" : " failed"}`, call.start, end, text,
      `${text} → ${JSON.stringify(call.result)}`);
    bar.style.top = `${5 + lane * 25}px`;
  }
  const toolHeight = lanes.length ? lanes.length * 25 + 6 : 6;
  $("lane-tools").style.height = $("label-tools").style.height = `${toolHeight}px`;
  if (!lanes.length) $("label-tools").textContent = "";
  for (const cut of log.interruptions) place($("marks"), "cut-line", cut.at, null, "", "The caller interrupts");

  const ticks = (name, marks) => {
    for (const { at, text, title, bad } of marks) {
      place($(`bands-${name}`), `tick${bad ? " bad" : ""}`, at, null, text, title);
    }
    if (!marks.length) for (const part of ["lane", "label"]) $(`${part}-${name}`).remove();
    crowd.push(...placed.filter(({ node }) => node.parentNode === $(`bands-${name}`)));
  };
  const crowd = [];
  const scripted = log.marks.filter((mark) => mark.kind === "step");
  // Turns have a lane where there is a script to compare them with; elsewhere the list says it.
  ticks("turns", scripted.length ? log.decisions.map((d) => ({
    at: d.at, text: d.what, title: `${d.at.toFixed(2)} s ${d.what}: ${d.reason} (${d.strategy})`,
  })) : []);
  ticks("script", scripted.map((m) => ({
    at: m.at, text: m.text, title: m.text, bad: failures.some((f) => f.text.includes(m.text) && f.at >= m.at),
  })));
  ticks("faults", log.marks.filter((mark) => mark.kind === "fault")
    .map((m) => ({ at: m.at, text: m.text, title: m.text, bad: true })));
  for (const mark of failures) {
    place($("marks"), "fail-line", mark.at, null, "", mark.text).dataset.name = "fell short";
  }

  const canvasOf = (id) => {
    const canvas = $(id), ratio = window.devicePixelRatio || 1;
    const width = scroller.clientWidth, height = canvas.clientHeight || 22;
    canvas.style.width = `${width}px`;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return { pen, width, height };
  };
  const drawWave = (side) => {
    const { pen, width, height } = canvasOf(`wave-${side}`);
    const values = peaks[side], from = scroller.scrollLeft;
    const top = 17, reach = (height - top) / 2 - 4, middle = top + (height - top) / 2; // text above
    const outer = color(`--${side}-wave`), core = color(`--${side}`);
    pen.fillStyle = outer;
    pen.globalAlpha = 0.35;
    pen.fillRect(0, middle - 0.5, width, 1);
    pen.globalAlpha = 1;
    const tall = new Float32Array(width), loud = new Float32Array(width);
    for (let x = 0; x < width; x++) {
      const a = Math.floor(((from + x) / scale) * rate);
      const b = Math.max(a + 1, Math.floor(((from + x + 1) / scale) * rate));
      let peak = 0, sum = 0, n = 0;
      for (let i = a; i < b && 2 * i + 1 < values.length; i++) {
        peak = Math.max(peak, values[2 * i]);
        sum += values[2 * i + 1];
        n++;
      }
      tall[x] = (peak / 255) * reach;
      loud[x] = n ? (sum / n / 255) * reach : 0;
    }
    for (const [heights, style] of [[tall, outer], [loud, core]]) {
      pen.fillStyle = style;
      for (let x = 0; x < width; x++) if (heights[x] >= 0.4) pen.fillRect(x, middle - heights[x], 1, 2 * heights[x]);
    }
  };
  const drawRuler = () => {
    const { pen, width, height } = canvasOf("ruler");
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300].find((s) => s * scale >= 62) ?? 600;
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const from = scroller.scrollLeft / scale;
    for (let k = Math.floor(from / step); k * step <= from + width / scale; k++) {
      const x = Math.round(k * step * scale - scroller.scrollLeft) + 0.5;
      pen.fillStyle = color("--line");
      pen.fillRect(x, height - 6, 1, 6);
      pen.fillStyle = color("--muted");
      pen.fillText(minutes(k * step, step < 1 ? 1 : 0), x + 4, height / 2);
    }
  };
  const draw = () => { drawRuler(); drawWave("caller"); drawWave("agent"); };
  const layout = () => {
    inner.style.width = `${Math.max(scroller.clientWidth, length * scale)}px`;
    for (const { node, start, end } of placed) {
      node.style.left = `${start * scale}px`;
      if (end !== null) {
        const width = Math.max(2, (end - start) * scale);
        node.style.width = `${width}px`;
        if (node.dataset.text) node.textContent = width < 46 ? node.dataset.short : node.dataset.text;
      }
    }
    crowd.forEach(({ node, start }, index) => { // a tick's text ends where the next tick of its lane is
      const next = crowd[index + 1];
      const same = next && next.node.parentNode === node.parentNode;
      node.style.width = `${Math.max(2, ((same ? next.start : length) - start) * scale - 2)}px`;
    });
    draw();
    moveCursor();
  };
  const zoom = (factor, anchor = scroller.clientWidth / 2) => {
    const at = (scroller.scrollLeft + anchor) / scale;
    scale = Math.min(400, Math.max(fitted(), scale * factor));
    layout();
    scroller.scrollLeft = at * scale - anchor;
    draw();
  };
  const fit = () => {
    scale = Math.max(fitted(), scroller.clientWidth < 520 ? 22 : 0);
    layout();
  };

  // ---- the player
  let dragging = false;
  const now = () => audio.currentTime;
  const seek = (t) => { audio.currentTime = Math.min(Math.max(0, t), length); moveCursor(true); };
  const play = () => { const started = audio.play(); if (started) started.catch(() => {}); };
  const moveCursor = (reveal = false) => {
    const t = now(), x = t * scale;
    cursor.style.transform = `translateX(${x}px)`;
    $("clock").textContent = minutes(t, 1);
    if (!dragging) $("seek").value = String(Math.round((1000 * t) / length));
    const outside = x < scroller.scrollLeft || x > scroller.scrollLeft + scroller.clientWidth - 24;
    if (outside && (reveal || !audio.paused)) scroller.scrollLeft = Math.max(0, x - scroller.clientWidth * 0.2);
    for (const { start, end, row, kind } of rows) {
      row.classList.toggle("on", kind !== "alert" && t >= start - 0.02 && t < end);
    }
    for (const { node, start, end } of placed) {
      if (node.classList.contains("band")) node.classList.toggle("on", t >= start && t < end && t > 0);
    }
  };
  const tick = () => { moveCursor(); if (!audio.paused) requestAnimationFrame(tick); };
  const PLAY = "M8 5v14l11-7z", PAUSE = "M7 5h4v14H7zM13 5h4v14h-4z";
  const toggle = () => (audio.paused ? play() : audio.pause());
  audio.addEventListener("play", () => {
    $("play-icon").setAttribute("d", PAUSE);
    $("play").setAttribute("aria-label", "Pause");
    requestAnimationFrame(tick);
  });
  audio.addEventListener("pause", () => {
    $("play-icon").setAttribute("d", PLAY);
    $("play").setAttribute("aria-label", "Play");
  });
  audio.addEventListener("seeked", () => moveCursor(true));
  $("play").addEventListener("click", toggle);
  $("back").addEventListener("click", () => seek(now() - 5));
  $("forward").addEventListener("click", () => seek(now() + 5));
  $("total").textContent = minutes(length);
  $("seek").addEventListener("input", (event) => { dragging = true; seek((event.target.value / 1000) * length); });
  $("seek").addEventListener("change", () => { dragging = false; });
  const SPEEDS = [1, 1.5, 2, 0.75];
  $("speed").addEventListener("click", () => {
    audio.playbackRate = SPEEDS[(SPEEDS.indexOf(audio.playbackRate) + 1) % SPEEDS.length];
    $("speed").textContent = `${audio.playbackRate}×`;
  });
  inner.addEventListener("click", (event) => {
    seek((event.clientX - inner.getBoundingClientRect().left) / scale);
  });
  scroller.addEventListener("scroll", draw, { passive: true });
  scroller.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event.clientX - scroller.getBoundingClientRect().left);
  }, { passive: false });
  $("zoom-in").addEventListener("click", () => zoom(1.6));
  $("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
  $("zoom-fit").addEventListener("click", fit);
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("button, input, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (event.key === " ") toggle(); else if (step) seek(now() + step); else return;
    event.preventDefault();
  });

  // ---- light and dark
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const paint = () => {
    document.documentElement.dataset.theme = chosen ?? (system.matches ? "dark" : "light");
    draw();
  };
  system.addEventListener("change", paint);
  $("theme").addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    paint();
  });

  paint();
  fit();
  new ResizeObserver(() => { if (scale <= fitted() * 1.01) fit(); else layout(); }).observe(scroller);
})();
