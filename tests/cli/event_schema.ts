/**
 * The JSON schema of what the programs print, one object a line: the client with
 * `--json`, and the log of the server with `--log-format json`.
 *
 * ```sh
 * deno task schema
 * ```
 *
 * @module
 */

import {
  type Fields,
  objectSchema,
  type Schema,
  valueSchema,
} from "../support/json_schema.ts";

const INTERVAL: Fields = {
  elapsed: "number: from the start, or the end of the warm-up, to its end",
  received: "integer: replies that came back in it",
  receivedPerSecond: "number: the same, per second",
  errors: "integer: errors in it; those of a warm-up are in the first",
  due: "integer: messages that were due, or without a rate sent, in it",
  missing: "integer: of these, the ones that have not come back",
  p50: "number|null: half of the messages due in it took no longer",
  p99: "number|null: 99 % of them took no longer",
  max: "number|null: the longest; a missing one counts with its wait",
};

const LATENCY: Fields = {
  min: "number|null: the shortest",
  mean: "number|null: the mean of the replies",
  stddev: "number|null: their standard deviation",
  p50: "number|null: half are no longer",
  p90: "number|null: 90 % are no longer",
  p99: "number|null: 99 % are no longer",
  "p99.9": "number|null: 99.9 % are no longer",
  max: "number|null: the longest",
  atLeast: "string[]: those that are higher if missing replies came later",
};

const STEP: Fields = {
  rate: "number: messages per second that were asked for",
  receivedPerSecond: "number|null: messages per second that came back",
  reached: "boolean: whether that is as many, but for 5 %",
  dropped: "integer: messages that were due, and not sent",
  unanswered: "integer: messages without an echo at the end",
  latency: "latency: the latencies",
  expectations: "expectation[]: the conditions; none if no load could run",
  errors: "integer{}: errors by kind",
  "error?": "string: why the load could not run",
  verdict: '"met"|"not met"|"client limited": whether the rate holds',
};

const STRUCTURES: Readonly<Record<string, Fields>> = {
  latency: LATENCY,
  connects: { ...LATENCY, count: "integer: connections that were made" },
  interval: { timestamp: "string: when it ended (ISO 8601)", ...INTERVAL },
  step: STEP,
  bucket: {
    from: "number: replies from this latency on",
    to: "number: replies below this latency",
    count: "integer: how many",
  },
  percentile: {
    percentile: "number: from 0 to 100",
    latency: "number: this percentage took no longer",
    atLeast: "boolean: whether it is higher if missing replies came later",
  },
  expectation: {
    expectation: "string: the condition, such as p99<5ms",
    measured: "number|null: milliseconds, a share from 0 to 1, or a number",
    atLeast: "boolean: whether it may be more, as messages are missing",
    met: "boolean: whether the condition surely holds",
    needs: "integer|null: messages that the metric needs, if there were fewer",
  },
  finding: {
    kind: "string: what it is about, such as timeout or clientBusy",
    severity: '"error"|"warning"|"note": error is what did not come back',
    message: "string: the sentence",
  },
  drops: {
    down: "integer: there was no connection",
    slow: "integer: their connection waited for an earlier echo",
    client: "integer: this client was too late",
  },
  lag: {
    p50: "number|null: half were no later",
    p99: "number|null: 99 % were no later",
    max: "number: the latest",
  },
  range: {
    from: "number|null: a rate above it failed",
    to: "number: it was met",
  },
  traffic: {
    bytesRead: "integer: bytes read from the upstream",
    bytesWritten: "integer: bytes written to the upstream",
  },
};

const VERDICT: Fields = {
  findings: "finding[]: what went wrong, or may have distorted the figures",
  expectations:
    "expectation[]: those of --expect; of the last step in a search",
  passed: "boolean: whether the exit status is 0",
  reasons: "string[]: why it did not pass",
};

const RUN: Fields = {
  duration: "number: how long messages were sent",
  size: "integer: bytes of a message",
  scheduled: "integer: messages that were due: sent + dropped",
  sent: "integer: received + failed + unanswered",
  received: "integer: messages whose whole echo came back",
  failed: "integer: messages that an error ended",
  unanswered: "integer: messages without an echo at the end",
  dropped: "integer: messages that were due, and not sent",
  loss: "number|null: the share of what was due and did not come back",
  errors: "integer{}: errors by kind, those of connecting included",
  firstErrors: "string{}: the first of each kind",
  latency: "latency: from when a message was due or sent to its whole echo",
  buckets: "bucket[]: replies by latency, two a doubling",
  percentiles: "percentile[]: the curve, as far as messages support it",
  intervals: "interval[]: the run in intervals of a second or more",
  ...VERDICT,
};

const TRAFFIC: Fields = {
  bytesRead: "integer: bytes read from clients",
  bytesWritten: "integer: bytes written to clients",
  duration: "number: from the accept, or from the start of the server",
  "upstream?": "traffic: of a proxy, what went through its upstream",
  "faults?": "integer{}: the faults that took effect",
};

const CONNECTION: Fields = {
  id: "integer: the number of the connection, from 1",
  peer: "string: the address of the client",
};

const ERROR: Fields = { error: "string: what was attempted, why it failed" };

/** An event: its name, when it is printed, and its fields. */
type EventRow = readonly [name: string, when: string, fields: Fields];

const CLIENT: readonly EventRow[] = [
  ["start", "the first of every run", {
    mode: '"message"|"pipe"|"ping"|"load"|"rate search": what is run',
    target: "string: where the server is",
    version: "string: the version of the client",
    deno: "string: the version of Deno",
    options: "any{}: the flags that were given, in camel case",
  }],
  ["error", "the last of a run that failed", ERROR],
  ["echo", "the echo of a message", {
    size: "integer: its bytes",
    duration: "number: from connecting to its last byte",
    echo: "string: its text",
  }],
  ["probe", "a probe of --ping", {
    seq: "integer: its number, from 1",
    size: "integer: its bytes",
    "latency?": "number: absent if it was lost",
    "error?": "string: why it was lost",
    "reconnected?": "boolean: whether it needed another connection",
  }],
  ["interval", "each second of --load", INTERVAL],
  ["step", "each step of --rate max", STEP],
  ["summary", "the end of a pipe, on stderr", {
    mode: '"pipe": what was run',
    sent: "integer: bytes sent",
    received: "integer: bytes that came back",
    duration: "number: from connecting to the end",
  }],
  ["summary", "the end of --ping", {
    mode: '"ping": what was run',
    ...RUN,
    interval: "number: from one probe to the next, as it was asked for",
    connect: "boolean: whether probes only connect",
    jitter: "number|null: mean difference of successive latencies",
  }],
  ["summary", "the end of --load", {
    mode: '"load": what was run',
    ...RUN,
    connections: "integer: number of connections",
    rate: "number|null: messages per second that were asked for",
    warmup: "number: load before the figures",
    receivedPerSecond: "number|null: those within the duration, per second",
    bytesPerSecond: "number|null: their bytes, in each direction",
    late: "integer: messages that came back after the duration",
    fairness: "number|null: Jain's index; 1 if all connections are equal",
    starved: "integer|null: connections that got no echo at all",
    reconnects: "integer: connections that the server closed in between",
    connects: "connects|null: the times that reconnecting took",
    droppedBy: "drops: why messages were not sent",
    lag: "lag|null: with a rate, how late this client sent messages",
    delayed: "integer: messages that this client was 3 ms late with",
    cpuUtilization: "number|null: CPU time of the client, of one core",
  }],
  ["summary", "the end of --rate max", {
    mode: '"rate search": what was run',
    duration: "number: how long the search took",
    steps: "step[]: all steps",
    rate: "number|null: the highest rate that was found to hold",
    range: "range|null: where steps contradict each other",
    confirmed: "boolean: whether it held when it was measured again",
    limitedBy: '"server"|"client"|"search": why it did not go higher',
    ...VERDICT,
  }],
];

const SERVER: readonly EventRow[] = [
  ["opened", "a connection was accepted", CONNECTION],
  ["closed", "a connection ended", {
    ...CONNECTION,
    ...TRAFFIC,
    reason: "string: closed, reset, idle, handshake, fault and so on",
    "closedBy?": '"client"|"upstream": the side that ended first, if one did',
    "error?": "string: the error that ended it",
  }],
  ["summary", "the server has ended", {
    open: "integer: connections that are open",
    peak: "integer: the most at a time",
    accepted: "integer: connections that were accepted",
    ended: "integer{}: how many have ended, by reason",
    heldBytes: "integer: bytes that faults hold",
    ...TRAFFIC,
  }],
  ["acceptError", "no connection can be accepted, once a minute", {
    ...ERROR,
    "advice?": "string: what to do",
  }],
  ["upstreamError", "no upstream, once an outage and a minute", ERROR],
  ["draining", "a shutdown waits", { open: "integer: for this many" }],
  ["dropped", "the log is read too slowly", { lines: "integer: lost lines" }],
];

function eventSchemas(rows: readonly EventRow[]): Schema {
  const timestamp = valueSchema(
    "string: now, or the start of what a summary is about (ISO 8601)",
  );
  return {
    oneOf: rows.map(([name, description, fields]) => ({
      description,
      ...objectSchema(fields, { event: { const: name }, timestamp }),
    })),
  };
}

/** The schema. Times are in milliseconds, sizes in bytes. */
export const schema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  description: "Events of the echo programs. Times are in ms, sizes in bytes.",
  anyOf: [{ $ref: "#/$defs/client" }, { $ref: "#/$defs/server" }],
  $defs: {
    client: eventSchemas(CLIENT),
    server: eventSchemas(SERVER),
    ...Object.fromEntries(
      Object.entries(STRUCTURES).map(([name, fields]) =>
        [name, objectSchema(fields)] as const
      ),
    ),
  },
};

if (import.meta.main) console.log(JSON.stringify(schema, null, 2));
