// The control room: the numbers of /queue, /metrics, /health and /dead-letters as an operator wants them. No second truth.

import { Problem, json, requeue, text } from "../api.js";
import { histogram, parse, sum } from "../metrics.js";
import { pause } from "../patience.js";
import { html, useEffect, useState } from "../ui.js";
import { duration, explain, number, percent, size, t } from "../words.js";

const EVERY = 5; // seconds
const KEPT = 720; // looks: an hour
const SECONDS_AN_HOUR = 3600;

/** The whole view; polls while it is open. */
export function Operations({ say, limits }) {
  const [now, setNow] = useState(null);
  const [trouble, setTrouble] = useState(null);
  const [history, setHistory] = useState([]);
  useEffect(() => poll(setNow, setTrouble, setHistory), []);
  return html`
    <div class="operations" tabindex="0" role="region" aria-labelledby="operations-title">
      <h2 id="operations-title">${t.operations}</h2>
      ${trouble && html`<p class="notice" role="alert">${explain(trouble)}</p>`}
      ${now && html`
        <p class="verdict" data-ready=${now.ready.reasons.length === 0 ? "yes" : "no"} role="status">
          ${now.ready.reasons.length === 0 ? t.allWell : `${t.notReady}: ${now.ready.reasons.join("; ")}`}</p>
        <div class="tiles">
          <${Workers} ...${now} />
          <${Queue} ...${now} />
          <${Health} ...${now} />
          <${Storage} ...${now} limits=${limits} />
          <${Plot} label=${t.throughput} values=${history.map((each) => each.throughput)} write=${(value) => number(value, { maximumFractionDigits: 0 })} />
          <${Plot} label=${t.queue} values=${history.map((each) => each.depth)} write=${(value) => number(value)} />
          <${Plot} label=${t.waiting} values=${history.map((each) => each.waiting)} write=${duration} />
          <${Plot} label=${t.recognising} values=${history.map((each) => each.recognising)} write=${duration} />
        </div>
        <p class="hint">${t.sinceOpened}</p>
        <${DeadLetters} say=${say} />
        <${Webhooks} say=${say} waiting=${waiting(now.metrics)} />`}
    </div>`;
}

function poll(setNow, setTrouble, setHistory) {
  const abort = new AbortController();
  const { signal } = abort;
  const run = async () => {
    let before = null;
    while (!signal.aborted) {
      try {
        const now = await look(signal);
        setNow(now);
        setTrouble(null);
        if (before) {
          const point = between(before, now);
          setHistory((points) => [...points, point].slice(-KEPT));
        }
        before = now;
      } catch (problem) {
        if (signal.aborted) return;
        if (!(problem instanceof Problem)) throw problem;
        setTrouble(problem);
        if (problem.status === 401 || problem.status === 403) return;
      }
      await pause(EVERY, signal).catch(() => {});
    }
  };
  run();
  return () => abort.abort();
}

async function look(signal) {
  const [queue, ready, health, metrics] = await Promise.all([
    json("queue", { signal }),
    json("health/ready", { signal, accepts: [503] }),
    json("health/ai", { signal, accepts: [503] }),
    text("metrics", { signal }),
  ]);
  return { at: performance.now() / 1000, queue: queue.body, ready: { reasons: [], ...ready.body }, health: health.body, metrics: parse(metrics) };
}

// Rates and means between two looks.
function between(before, now) {
  const [read, earlier] = [histogram(now.metrics, "ocr_recognition_seconds"), histogram(before.metrics, "ocr_recognition_seconds")];
  const [waited, waitedEarlier] = [histogram(now.metrics, "ocr_wait_seconds"), histogram(before.metrics, "ocr_wait_seconds")];
  const mean = (late, early) => (late.count > early.count ? (late.sum - early.sum) / (late.count - early.count) : null);
  return {
    throughput: ((read.count - earlier.count) / (now.at - before.at)) * SECONDS_AN_HOUR,
    depth: now.queue.depth,
    waiting: mean(waited, waitedEarlier),
    recognising: mean(read, earlier),
  };
}

function Workers({ metrics, health }) {
  const states = metrics.filter((each) => each.name === "ocr_workers" && each.value > 0);
  const memory = metrics.filter((each) => each.name === "ocr_worker_resident_bytes");
  return html`
    <section class="tile"><h3>${t.workers}</h3>
      <p class="figure">${number(sum(metrics, "ocr_workers"))}</p>
      <p class="hint">${states.map((each) => `${number(each.value)} ${each.labels.state}`).join(" · ")}</p>
      <ul>${memory.map((each) => html`<li>${each.labels.worker}: ${size(each.value)}</li>`)}</ul>
      <p class="hint">${health.system ? `load ${number(health.system.load_1m)} / ${health.system.cpus}` : ""}</p>
    </section>`;
}

function Queue({ queue }) {
  return html`
    <section class="tile"><h3>${t.queue}</h3>
      <p class="figure">${t.of(number(queue.depth), number(queue.limit))}</p>
      <progress value=${queue.depth} max=${queue.limit} aria-label=${t.queue}></progress>
      <p class="hint">${queue.drain_seconds === null ? "" : t.drain(duration(queue.drain_seconds))}</p>
    </section>`;
}

function Health({ health }) {
  const share = percent(health.similarity ?? 0);
  return html`
    <section class="tile" data-grade=${health.status}><h3>${t.health}</h3>
      <p class="figure">${t.grade[health.status] ?? health.status}</p>
      <p class="hint">“${health.sample_text}” · ${share} · ${duration(health.latency_seconds)} · ${t.ago(duration(health.age_seconds))}</p>
    </section>`;
}

function Storage({ metrics, limits }) {
  const free = metrics.find((each) => each.name === "ocr_store_free_bytes");
  const jobs = metrics.filter((each) => each.name === "ocr_jobs" && each.value > 0);
  return html`
    <section class="tile"><h3>${t.storage}</h3>
      <p class="figure">${free && Number.isFinite(free.value) ? t.free(size(free.value)) : "–"}</p>
      <p class="hint">${t.stored(number(sum(metrics, "ocr_jobs")))}: ${jobs.map((each) => `${number(each.value)} ${each.labels.status}`).join(", ")}</p>
      ${limits && html`<p class="hint">${t.kept(limits.keep_finished_days ? kept(limits.keep_finished_days * 24) : t.forEver, kept(limits.keep_uploads_hours))}</p>`}
    </section>`;
}

// Hours as people say them: in days where these are whole.
const kept = (hours) => (hours > 24 && hours % 24 === 0 ? t.days(number(hours / 24)) : t.hours(number(hours)));

const [WIDTH, HEIGHT] = [240, 56];

function Plot({ label, values, write }) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known, 0) || 1;
  const step = WIDTH / Math.max(values.length - 1, 1);
  const points = values.flatMap((value, index) => (value === null ? [] : [`${(index * step).toFixed(1)},${(HEIGHT - (value / most) * HEIGHT).toFixed(1)}`]));
  return html`
    <section class="tile"><h3>${label}</h3>
      <p class="figure">${known.length ? write(known.at(-1)) : "–"}</p>
      <svg class="plot" viewBox=${`-2 -2 ${WIDTH + 4} ${HEIGHT + 4}`} role="img" aria-label=${label} preserveAspectRatio="none">
        <polyline points=${points.join(" ")} /></svg>
    </section>`;
}

function DeadLetters({ say }) {
  const [letters, setLetters] = useState([]);
  const load = () => json("dead-letters?limit=50").then(({ body }) => setLetters(body.items), (problem) => say(explain(problem), "toast"));
  useEffect(() => { load(); }, []);
  const act = (action) => action().then(load, (problem) => say(explain(problem), "toast"));
  return html`
    <section class="dead-letters"><h3>${t.deadLetters}</h3>
      ${letters.length === 0 && html`<p class="hint">${t.noDeadLetters}</p>`}
      ${letters.length > 0 && html`
        <button type="button" onClick=${() => act(() => json("dead-letters/requeue", { method: "POST" }))}>${t.requeueAll}</button>
        <ul>${letters.map((job) => html`
          <li key=${job.id}><span class="name">${job.metadata?.file_name || job.tag || job.id}</span>
            <span class="hint">${new Date(job.timestamp).toLocaleString()} · ${job.error?.detail}</span>
            <button type="button" onClick=${() => act(() => requeue(job.id))}>${t.requeue}</button>
            <button type="button" class="quiet" onClick=${() => act(() => json(`dead-letters/${job.id}`, { method: "DELETE" }))}>${t.remove}</button></li>`)}</ul>`}
    </section>`;
}

const waiting = (metrics) => metrics.find((each) => each.name === "ocr_webhooks" && each.labels.status === "pending")?.value ?? 0;

function Webhooks({ say, waiting }) {
  const [failed, setFailed] = useState([]);
  const trouble = (problem) => say(explain(problem), "toast");
  const load = () => json("deliveries?status=failed&limit=50").then(({ body }) => setFailed(body.items), trouble);
  useEffect(() => { load(); }, []);
  const resend = (address) => json(address, { method: "POST" }).then(load, trouble);
  return html`
    <section class="dead-letters"><h3>${t.webhooks}</h3>
      <p class="hint">${t.webhooksWaiting(number(waiting))} ${failed.length === 0 && t.noneFailed}</p>
      ${failed.length > 0 && html`
        <button type="button" onClick=${() => resend("deliveries/resend")}>${t.resendAll}</button>
        <ul>${failed.map((each) => html`
          <li key=${each.id}><span class="name">${each.url}</span>
            <span class="hint">${new Date(each.created_at).toLocaleString()} · ${each.last_response_status ?? each.last_error}</span>
            <button type="button" onClick=${() => resend(`deliveries/${each.id}/resend`)}>${t.resend}</button></li>`)}</ul>`}
    </section>`;
}
