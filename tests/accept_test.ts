import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { accept } from "../lib/accept.ts";
import { until } from "./peers.ts";

type Step = "client" | Error;

/** A listener that does what it is told, then waits until it is closed. */
function listener(steps: Step[]) {
  let close: ((error: Error) => void) | undefined;
  const door = {
    attempts: 0,
    closed: 0,
    accept(): Promise<Deno.Conn> {
      door.attempts++;
      const step = steps.shift();
      if (step === undefined) {
        return new Promise((_, reject) => close = reject);
      }
      if (step !== "client") return Promise.reject(step);
      return Promise.resolve({ close: () => door.closed++ } as never);
    },
    close(): void {
      close?.(new Deno.errors.BadResource("closed"));
    },
  };
  return door;
}

const shortage = () => new Error("Too many open files (os error 24)");
const clients = (count: number) => Array<Step>(count).fill("client");

describe("accepting goes on", () => {
  it("after clients that were gone before they were taken", async () => {
    const from = listener([
      new Deno.errors.NotConnected("gone"),
      new Deno.errors.ConnectionAborted("gone"),
      new Deno.errors.ConnectionReset("gone"),
      "client",
    ]);
    let taken = 0;
    const shortages: Error[] = [];
    const door = accept(from, {
      take: () => taken++,
      onShortage: (error) => shortages.push(error),
    });
    await until(() => taken === 1);
    assertEquals(shortages, []);
    door.close();
    await door.closed;
  });

  it("after a shortage, which is reported once, not per attempt", async () => {
    const from = listener([
      shortage(),
      shortage(),
      "client",
      shortage(),
      "client",
    ]);
    let taken = 0;
    const shortages: Error[] = [];
    const door = accept(from, {
      take: () => taken++,
      onShortage: (error) => shortages.push(error),
    });
    await until(() => taken === 2);
    assertEquals(shortages.map(({ message }) => message), [
      "Too many open files (os error 24)",
    ]);
    door.close();
    await door.closed;
  });

  it("after a shortage, which is reported again after a minute", async () => {
    let time = 0;
    const shortages: number[] = [];
    const steps: Step[] = [];
    for (let i = 0; i < 5; i++) steps.push(shortage(), "client");
    let taken = 0;
    const door = accept(listener(steps), {
      // The next shortage comes 25 s after this one.
      take: () => {
        taken++;
        time += 25_000;
      },
      onShortage: () => shortages.push(time),
      now: () => time,
    });
    await until(() => taken === 5);
    assertEquals(shortages, [0, 75_000]);
    door.close();
    await door.closed;
  });

  it("as soon as a client is closed, however long the pause", async () => {
    const from = listener(["client", ...Array.from({ length: 8 }, shortage)]);
    let taken = 0;
    const door = accept(from, { take: () => taken++ });
    await until(() => taken === 1 && from.attempts > 2);
    // Eight pauses take 2.5 s; eight releases take none.
    for (let seen = from.attempts; from.attempts < 10; seen = from.attempts) {
      door.release();
      await until(() => from.attempts > seen);
    }
    door.close();
    await door.closed;
  });
});

describe("accepting stops", () => {
  it("at the limit, until a place is free", async () => {
    const from = listener(clients(3));
    let taken = 0;
    const door = accept(from, { take: () => taken++, limit: 2 });
    await until(() => taken === 2);
    assertEquals(from.attempts, 2);
    door.release();
    await until(() => taken === 3);
    door.close();
    await door.closed;
  });

  it("when it is closed, at the limit or in a pause", async () => {
    for (const steps of [clients(1), [shortage()]]) {
      const from = listener(steps);
      const door = accept(from, { take: () => {}, limit: 1 });
      await until(() => from.attempts === 1);
      door.close();
      door.close();
      await door.closed;
    }
  });
});

it("thousands at once are all handed on", async () => {
  const from = listener(clients(5000));
  let taken = 0;
  const door = accept(from, { take: () => taken++ });
  await until(() => taken === 5000);
  door.close();
  await door.closed;
});
