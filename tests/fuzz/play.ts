/**
 * Plays a script: its clients and its upstream here, its server in the process
 * under test. Says what does not hold.
 *
 * @module
 */

import { pattern } from "../support/peers.ts";
import { type Outcome, runClient, startUpstream } from "./peers.ts";
import { type TestedProcess, within } from "./process.ts";
import { prospects, type Script, withLatency } from "./script.ts";

/** The latency that must change no byte. */
export const LATENCY_MS = 60;
/** Times that a script is repeated until an outcome counts as impossible. */
const REPEATS = 5;
/** Milliseconds after the grace period in which a server has finished. */
const FINISH_MS = 2_000;
/** Milliseconds in which an upstream learns that the proxy has finished. */
const END_MS = 1_000;

let ids = 0;

/** Plays a script once. */
export async function play(
  process: TestedProcess,
  script: Script,
): Promise<{ outcomes: Outcome[]; problems: string[] }> {
  const { tls, clients, stop, upstream } = script;
  const problems: string[] = [];
  await using behind = upstream && await startUpstream(upstream);
  const id = ids++;
  const of = { id, script, upstreamPort: behind?.port };
  const port = await process.call<number>("start", of);
  const outcomes = await Promise.all(
    clients.map((steps, salt) => runClient(steps, { port, tls, salt })),
  );
  const upstreamEnds = async (ms: number | undefined, after: string) => {
    if (!behind || ms === undefined) return;
    if (await within(ms, () => behind.open() === 0)) return;
    const open = `${behind.open()} upstream connections open`;
    problems.push(`${open} ${ms} ms after ${after}`);
  };
  await upstreamEnds(prospects(script).leave, "the last client left");
  let found: string[] | undefined;
  void process.call<string[]>("finish", { id })
    .then((problems) => found = problems, () => found = []);
  const inTime = stop.grace + FINISH_MS;
  if (await within(inTime, () => found !== undefined)) problems.push(...found!);
  else problems.push(`not finished ${inTime} ms after the end`);
  if (problems.length === 0) await upstreamEnds(END_MS, "the server finished");
  return { outcomes, problems };
}

/** Plays a script, and again with latency if that must change nothing. */
export async function check(
  process: TestedProcess,
  script: Script,
): Promise<string[]> {
  const { outcomes, problems } = await play(process, script);
  outcomes.forEach((outcome, client) => {
    const wrong = wrongOutcome(script, outcome);
    if (wrong) problems.push(`client ${client} got ${wrong}`);
  });
  if (problems.length > 0 || !prospects(script).repeatable) return problems;
  const slow = await play(process, withLatency(script, LATENCY_MS));
  let differs = difference(script, outcomes, slow.outcomes);
  // What a race decides has several outcomes without latency too.
  for (let i = 1; i < REPEATS && differs && !process.failure; i++) {
    const again = await play(process, script);
    differs = difference(script, again.outcomes, slow.outcomes);
  }
  return [...slow.problems, ...(differs ? [differs] : [])]
    .map((what) => `with ${LATENCY_MS} ms of latency, ${what}`);
}

/** Says what is wrong with an outcome, if there is anything. */
function wrongOutcome(
  script: Script,
  { polite, written, received, end, wrote }: Outcome,
): string | undefined {
  const { onlyDelays, unaltered, endless } = prospects(script);
  const { does, reply, ends } = script.upstream ?? { does: "echo" };
  const replies = does === "early" || does === "late";
  const due = does === "echo"
    ? written
    : pattern(endless ? received.length : replies ? reply! : 0);
  const got = `${received.length} of ${due.length} bytes, then ${end}`;
  if (received.length > due.length) return got;
  const at = received.findIndex((byte, i) => byte !== due[i]);
  if (unaltered && at >= 0) return `${got}; byte ${at} is wrong`;
  if (!polite || endless || !onlyDelays) return undefined;
  // All that is due comes to a client that waits, and then the end as it is.
  if (received.length < due.length || end === "left") return got;
  const isClean = !replies || ends === "close";
  if (isClean && end !== "eof") return `${got} where the end was clean`;
  // Without TLS, only a write that fails shows a truncation.
  const shows = ends === "reset" || script.upstream?.tls;
  if (!isClean && shows && script.tls && wrote && end === "eof") {
    return `${got} where the end was a ${ends}`;
  }
  return undefined;
}

/** The first difference between the outcomes of clients that read to the end. */
function difference(
  script: Script,
  fast: Outcome[],
  slow: Outcome[],
): string | undefined {
  // An upload that is still under way when the upstream goes decides how that shows.
  const { upstream } = script;
  const racing = upstream?.does === "early" && upstream.ends !== "close";
  const isEnd = ({ end }: Outcome) => end !== "left" && end !== "refused";
  const show = ({ received, end }: Outcome) =>
    `${received.length} bytes, then ${end}`;
  for (const [client, a] of fast.entries()) {
    const b = slow[client]!;
    // The error of a write hides how the connection ended.
    const endsAlike = a.end === b.end || !a.wrote || !b.wrote ||
      racing && isEnd(a) && isEnd(b) ||
      // Where an end may be withheld, a client does not wait long for it.
      !prospects(script).onlyDelays && b.end === "left";
    if (a.polite && (a.received.length !== b.received.length || !endsAlike)) {
      return `client ${client} got ${show(b)} instead of ${show(a)}`;
    }
  }
  return undefined;
}
