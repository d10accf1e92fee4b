// The control room: the numbers of /queue, its history, /metrics, /health and /dead-letters as an operator wants them.
// No second truth.

import { Problem, json, requeue, text } from "../api.js";
import { parse, sum } from "../metrics.js";
import { pause } from "../patience.js";
import { html, useEffect, useState } from "../ui.js";
import { duration, explain, locale, number, percent, size, state, t } from "../words.js";

const EVERY = 5; // seconds

/** The whole view; polls while it is open. */
export function Operations({ say, limits }) {
  const [now, setNow] = useState(null);
  const [trouble, setTrouble] = useState(null);
  useEffect(() => poll(setNow, setTrouble), []);
  return html`
    <div class="operations" tabindex="0" role="region" aria-labelledby="operations-title">
      <h2 id="operations-title">${t.operations}</h2>
      ${trouble && html`<p class="notice" role="alert">${explain(trouble)}</p>`}
      ${now && html`
        <${Verdict} ...${now} />
        <div class="tiles">
          <${Workers} ...${now} />
          <${Queue} ...${now} />
          <${Health} ...${now} />
          <${Storage} ...${now} limits=${limits} />
        </div>
        <div class="tiles plots">
          <${Throughput} minutes=${now.minutes} />
          <${Mean} label=${t.waiting} minutes=${now.minutes} name="wait_seconds" />
          <${Mean} label=${t.recognising} minutes=${now.minutes} name="recognition_seconds" />
        </div>
        <${DeadLetters} say=${say} />
        <${Webhooks} say=${say} waiting=${given(now.metrics, "ocr_webhooks", "status", "pending")} />`}
    </div>`;
}

function poll(setNow, setTrouble) {
  const abort = new AbortController();
  const { signal } = abort;
  const run = async () => {
    while (!signal.aborted) {
      try {
        setNow(await look(signal));
        setTrouble(null);
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
  const [queue, history, ready, health, metrics] = await Promise.all([
    json("queue", { signal }),
    json("queue/history", { signal }),
    json("health/ready", { signal, accepts: [503] }),
    json("health/ai", { signal, accepts: [503] }),
    text("metrics", { signal }),
  ]);
  return {
    queue: queue.body, minutes: history.body.minutes, ready: { reasons: [], ...ready.body }, health: health.body, metrics: parse(metrics),
  };
}

const given = (metrics, name, label, value) => metrics.find((each) => each.name === name && each.labels[label] === value)?.value ?? 0;

// What an operator has to look after, before any figure.
function Verdict({ ready, health, metrics }) {
  const [lost, dead, undelivered] = [
    given(metrics, "ocr_workers", "state", "failed"), given(metrics, "ocr_jobs", "status", "dead-letter"), given(metrics, "ocr_webhooks", "status", "failed"),
  ];
  const concerns = [
    ["low", "failing"].includes(health.status) && `${t.health}: ${t.grade[health.status]}`,
    lost && `${t.workers}: ${t.givenUp(number(lost))}`,
    dead && `${t.deadLetters}: ${number(dead)}`,
    undelivered && `${t.webhooks}: ${t.givenUp(number(undelivered))}`,
  ].filter(Boolean);
  const unready = ready.reasons.length > 0 && `${t.notReady}: ${ready.reasons.join("; ")}`;
  const told = [unready, concerns.length > 0 && `${t.lookAt}: ${concerns.join(" · ")}`].filter(Boolean);
  return html`<p class="verdict" data-ready=${unready ? "no" : concerns.length ? "look" : "yes"} role="status">${told.join(". ") || t.allWell}</p>`;
}

function Workers({ metrics, health }) {
  const states = metrics.filter((each) => each.name === "ocr_workers" && each.value > 0);
  const memory = metrics.filter((each) => each.name === "ocr_worker_resident_bytes");
  return html`
    <section class="tile"><h3>${t.workers}</h3>
      <p class="figure">${number(sum(metrics, "ocr_workers"))}</p>
      <p class="hint">${states.map((each) => `${number(each.value)} ${t.workerStates[each.labels.state] ?? each.labels.state}`).join(" · ")}</p>
      <ul>${memory.map((each) => html`<li>${each.labels.worker}: ${size(each.value)}</li>`)}</ul>
      <p class="hint">${health.system ? `load ${number(health.system.load_1m)} / ${health.system.cpus}` : ""}</p>
    </section>`;
}

function Queue({ queue }) {
  return html`
    <section class="tile"><h3>${t.queue}</h3>
      <p class="figure">${t.of(number(queue.depth), number(queue.limit))}</p>
      <progress value=${queue.depth} max=${queue.limit} aria-label=${t.queue}></progress>
      <p class="hint">${!queue.drain_seconds ? "" : t.drain(duration(queue.drain_seconds))}</p>
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
      <p class="hint">${t.stored(number(sum(metrics, "ocr_jobs")))}: ${jobs.map((each) => `${state(each.labels.status)} ${number(each.value)}`).join(", ")}</p>
      ${limits && html`<p class="hint">${t.kept(limits.keep_finished_days ? kept(limits.keep_finished_days * 24) : t.forEver, kept(limits.keep_uploads_hours))}</p>`}
    </section>`;
}

// Hours as people say them: in days where these are whole.
const kept = (hours) => (hours > 24 && hours % 24 === 0 ? t.days(number(hours / 24)) : t.hours(number(hours)));

const total = (minutes, name) => minutes.reduce((sum, each) => sum + each[name], 0);

function Throughput({ minutes }) {
  const failed = total(minutes, "pages_failed");
  const bars = minutes.map((each) => [each.pages_read, each.pages_failed]);
  return html`
    <${Plot} label=${t.throughput} figure=${number(total(minutes, "pages_read"))} minutes=${minutes} bars=${bars} write=${number}
      note=${failed > 0 && t.givenUp(number(failed))} />`;
}

// The mean of the hour is that of all its pages.
function Mean({ label, minutes, name }) {
  const read = total(minutes, "pages_read");
  const seconds = minutes.reduce((sum, each) => sum + each.pages_read * (each[name] ?? 0), 0);
  const bars = minutes.map((each) => [each[name] ?? 0]);
  return html`<${Plot} label=${label} figure=${read ? duration(seconds / read) : "–"} minutes=${minutes} bars=${bars} write=${duration} />`;
}

const [STEP, BAR, HEIGHT] = [4, 3, 56];

// A bar for each minute; its parts stand one upon the other.
function Plot({ label, figure, note, minutes, bars, write }) {
  const sums = bars.map((parts) => parts.reduce((sum, part) => sum + part, 0));
  const most = Math.max(...sums);
  const tall = (value) => (value / (most || 1)) * HEIGHT;
  const clock = (each) => new Date(each.begins).toLocaleTimeString(locale, { timeStyle: "short" });
  return html`
    <section class="tile"><h3>${label}</h3>
      <p class="figure">${figure}</p>
      <svg class="plot" viewBox="0 0 ${minutes.length * STEP} ${HEIGHT}" role="img" aria-label="${label}: ${figure}" preserveAspectRatio="none">
        ${minutes.map((each, at) => sums[at] > 0 && html`
          <g key=${each.begins}><title>${clock(each)}: ${bars[at].filter(Boolean).map((part) => write(part)).join(" + ")}</title>
            ${bars[at].map((part, kind) => html`
              <rect x=${at * STEP} y=${HEIGHT - tall(kind ? sums[at] : part)} width=${BAR} height=${tall(part)} class=${kind ? "failed" : ""} />`)}</g>`)}
      </svg>
      <p class="axis"><span>${t.ago(duration(minutes.length * 60))}</span><span>${t.most(write(most))}</span><span>${t.now}</span></p>
      ${note && html`<p class="hint">${note}</p>`}
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
            <span class="hint">${new Date(job.timestamp).toLocaleString(locale)} · ${job.error?.detail}</span>
            <button type="button" onClick=${() => act(() => requeue(job.id))}>${t.requeue}</button>
            <button type="button" class="quiet" onClick=${() => act(() => json(`dead-letters/${job.id}`, { method: "DELETE" }))}>${t.remove}</button></li>`)}</ul>`}
    </section>`;
}

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
            <span class="hint">${new Date(each.created_at).toLocaleString(locale)} · ${each.last_response_status ?? each.last_error}</span>
            <button type="button" onClick=${() => resend(`deliveries/${each.id}/resend`)}>${t.resend}</button></li>`)}</ul>`}
    </section>`;
}
