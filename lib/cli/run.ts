/**
 * What the modes that measure share: how a run ends, and where its results go.
 *
 * @module
 */

import { formatEndpoint } from "../net/endpoint.ts";
import { findings, type RunVerdict } from "../stats/findings.ts";
import { formatFixed } from "../stats/format.ts";
import type {
  LatencyFigure,
  LatencySummary,
  Summary,
} from "../stats/summaries.ts";
import type { ModeInput } from "./client_flags.ts";
import { openReport, type WriteReport } from "./html_file.ts";
import { eventLine, print, printable } from "./output.ts";
import { abortOnSignal, EXIT } from "./signals.ts";

/** A run that measures. */
export class Run {
  /** Where the server is, safe to print. */
  readonly target: string;
  /** Ends the run: on Ctrl-C, and when its output can no longer be written. */
  readonly signal: AbortSignal;
  readonly #input: ModeInput;
  readonly #outputClosed = new AbortController();
  #writeReport: WriteReport | undefined;

  private constructor(input: ModeInput) {
    this.#input = input;
    this.target = printable(formatEndpoint(input.options));
    this.signal = AbortSignal.any([abortOnSignal(), this.#outputClosed.signal]);
  }

  /** Listens for signals, and opens the report before anything else is opened. */
  static async start(input: ModeInput): Promise<Run> {
    const run = new Run(input);
    const { html } = input.values;
    if (html !== undefined) run.#writeReport = await openReport(html);
    return run;
  }

  /** Prints text, or with `--json` an event. If that fails, ends the run. */
  print(event: string, fields: object, text?: () => string): void {
    try {
      if (this.#input.values.json) print(eventLine(event, fields));
      else if (text) print(text());
    } catch (error) {
      this.#outputClosed.abort(error);
    }
  }

  /** @throws what ended the run, if it is no result. */
  check(): void {
    this.#outputClosed.signal.throwIfAborted();
  }

  /** Prints the result of a run and writes its page. Returns the exit status. */
  end(summary: Summary, verdict: RunVerdict, text: () => string): number {
    this.check();
    const { passed, reasons, results } = verdict;
    if (this.#input.values.json) {
      // The histogram is for code, and the probes have events of their own.
      const { latencies: _, probes: __, ...fields } = summary as
        & typeof summary
        & { latencies?: unknown; probes?: unknown };
      const said = findings(summary);
      print(eventLine("summary", {
        ...{ ...fields, findings: said, expectations: results },
        ...{ passed, reasons },
      }));
    } else {
      print(text());
    }
    const { expectations } = this.#input;
    this.#writeReport?.({
      ...{ summary, target: this.target },
      // The steps of a search have their own.
      ...summary.mode !== "rate search" && {
        expectations: expectations.map(({ text }) => text),
      },
    });
    return passed ? EXIT.ok : EXIT.failed;
  }
}

/** The names of figures of latencies in a report, as ping(8) has them. */
const NAMES: Partial<Record<LatencyFigure, string>> = {
  mean: "avg",
  stddev: "mdev",
};

/** The known of these figures in a line: `rtt min/max = 1.000/≥ 4.500 ms`. */
export function latencyLines(
  noun: string,
  latency: LatencySummary,
  ...figures: LatencyFigure[]
): string[] {
  const known = figures.filter((figure) => latency[figure] !== null);
  if (known.length === 0) return [];
  const names = known.map((figure) => NAMES[figure] ?? figure).join("/");
  const values = known.map((figure) =>
    (latency.atLeast.includes(figure) ? "≥ " : "") +
    formatFixed(latency[figure], 3)
  );
  return [`${noun} ${names} = ${values.join("/")} ms`];
}

/** The findings of a run as lines that are safe to print. */
export function findingLines(summary: Summary): string[] {
  return findings(summary).map(({ message }) => printable(message));
}
