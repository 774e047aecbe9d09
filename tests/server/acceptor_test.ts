import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { setImmediate } from "node:timers";
import { Acceptor } from "../../lib/server/acceptor.ts";
import { FakeClock, untilTurn } from "../support/fake_clock.ts";
import { until } from "../support/peers.ts";

/** What an acceptor does not use. */
const UNUSED = {
  addr: { transport: "tcp", hostname: "192.0.2.1", port: 7 } as const,
  ref() {},
  unref() {},
};

/** The options of a listener that is never opened again, and has no limit. */
const once = {
  limit: Infinity,
  burst: true,
  open: () => {
    throw new Error("it is open");
  },
};

type Step = "connection" | Error;

/** Never resolves; rejects when the listener is closed. */
function closable() {
  const { promise, reject } = Promise.withResolvers<never>();
  // The listener may be closed while no `accept()` is pending.
  promise.catch(() => {});
  return { promise, close: () => reject(new Deno.errors.BadResource()) };
}

/** A listener that accepts or fails as listed, and is then pending. */
function scripted(steps: Step[]) {
  const end = closable();
  const listener = {
    ...UNUSED,
    attempts: 0,
    accept(): Promise<Deno.Conn> {
      listener.attempts++;
      const step = steps.shift();
      if (step === undefined) return end.promise;
      if (step !== "connection") return Promise.reject(step);
      return Promise.resolve({ close() {} } as Deno.Conn);
    },
    closed: false,
    close() {
      listener.closed = true;
      end.close();
    },
  };
  return listener;
}

const shortage = () =>
  Object.assign(new Error("Too many open files"), { code: "EMFILE" });
const connections = (count: number) => Array<Step>(count).fill("connection");

describe("the acceptor continues", () => {
  it("after clients that disconnected before they were accepted", async () => {
    const listener = scripted([
      new Deno.errors.NotConnected("disconnected"),
      new Deno.errors.ConnectionAborted("disconnected"),
      new Deno.errors.ConnectionReset("disconnected"),
      "connection",
    ]);
    let accepted = 0;
    const errors: Error[] = [];
    const acceptor = new Acceptor(listener, {
      ...once,
      onConnection: () => accepted++,
      onAcceptError: (error) => errors.push(error),
    });
    await until(() => accepted === 1);
    assertEquals(errors, []);
    acceptor.close();
    await acceptor.closed;
  });

  it("after a shortage, which is reported once and not per attempt", async () => {
    const listener = scripted([
      shortage(),
      shortage(),
      "connection",
      shortage(),
      "connection",
    ]);
    let accepted = 0;
    const errors: Error[] = [];
    const acceptor = new Acceptor(listener, {
      ...once,
      onConnection: () => accepted++,
      onAcceptError: (error) => errors.push(error),
    });
    await until(() => accepted === 2);
    assertEquals(errors.map(({ message }) => message), [
      "Too many open files",
    ]);
    acceptor.close();
    await acceptor.closed;
  });

  it("after a shortage, which is reported again after a minute", async () => {
    let time = 0;
    const reports: number[] = [];
    const steps: Step[] = [];
    for (let i = 0; i < 5; i++) steps.push(shortage(), "connection");
    let accepted = 0;
    const acceptor = new Acceptor(scripted(steps), {
      ...once,
      // The next shortage is 25 s after this one.
      onConnection: () => {
        accepted++;
        time += 25_000;
      },
      onAcceptError: () => reports.push(time),
      now: () => time,
    });
    await until(() => accepted === 5);
    assertEquals(reports, [0, 75_000]);
    acceptor.close();
    await acceptor.closed;
  });

  it("as soon as a connection is closed, without waiting for the pause", async () => {
    const listener = scripted([
      "connection",
      ...Array.from({ length: 8 }, shortage),
    ]);
    let accepted = 0;
    const acceptor = new Acceptor(listener, {
      ...once,
      onConnection: () => accepted++,
    });
    await until(() => accepted === 1 && listener.attempts > 2);
    // Eight pauses take more than a second; eight releases take no time.
    while (listener.attempts < 10) {
      const { attempts } = listener;
      acceptor.release();
      await until(() => listener.attempts > attempts);
    }
    acceptor.close();
    await acceptor.closed;
  });

  it("after a pause that grows to a second while the shortage lasts", async () => {
    using clock = new FakeClock();
    const end = closable();
    let attempts = 0;
    const acceptor = new Acceptor({
      ...UNUSED,
      // The attempts are limited, so that a loop without a pause ends too.
      accept: () =>
        ++attempts < 10_000 ? Promise.reject(shortage()) : end.promise,
      close: end.close,
    }, { ...once, onConnection() {} });
    await clock.advance(1_000);
    assertGreaterOrEqual(attempts, 2);
    assertLess(attempts, 20);
    attempts = 0;
    await clock.advance(60_000);
    assertGreaterOrEqual(attempts, 30);
    assertLess(attempts, 90);
    acceptor.close();
    await clock.advance(2_000);
    await acceptor.closed;
  });
});

describe("the acceptor stops", () => {
  it("at its limit, until a connection is released", async () => {
    const listener = scripted(connections(3));
    let accepted = 0;
    const acceptor = new Acceptor(listener, {
      ...once,
      onConnection: () => accepted++,
      limit: 2,
    });
    await until(() => accepted === 2);
    assertEquals(listener.attempts, 2);
    acceptor.release();
    await until(() => accepted === 3);
    acceptor.close();
    await acceptor.closed;
  });

  it("when it is closed, also at its limit or in a pause", async () => {
    for (const steps of [connections(1), [shortage()]]) {
      const listener = scripted(steps);
      const acceptor = new Acceptor(listener, {
        ...once,
        onConnection() {},
        limit: 1,
      });
      await until(() => listener.attempts === 1);
      acceptor.close();
      acceptor.close();
      await acceptor.closed;
    }
  });
});

/** Accepts `count` connections, 128 in each tick of the event loop. */
function burst(count: number) {
  const end = closable();
  const listener = {
    ...UNUSED,
    accepted: 0,
    async accept(): Promise<Deno.Conn> {
      if (listener.accepted === count) return await end.promise;
      if (listener.accepted++ % 128 === 0) {
        await new Promise((resolve) => void setImmediate(resolve));
      }
      return { close() {} } as Deno.Conn;
    },
    close: end.close,
  };
  return listener;
}

describe("an acceptor that refuses", () => {
  it("closes the port, and takes it again, however often that fails", async () => {
    const first = scripted([]), second = scripted(connections(1));
    const errors: Error[] = [];
    const attempts = [new Error("in use"), new Error("in use"), second];
    let accepted = 0;
    const acceptor = new Acceptor(first, {
      ...once,
      open: () => {
        const next = attempts.shift()!;
        if (next instanceof Error) throw next;
        return next;
      },
      onConnection: () => accepted++,
      onAcceptError: (error) => errors.push(error),
    });
    acceptor.refuse(true);
    assert(first.closed);
    await untilTurn(() => first.attempts === 1);
    acceptor.refuse(false);
    await until(() => accepted === 1);
    // The second one is within a minute.
    assertEquals(errors.map(({ message }) => message), ["in use"]);
    acceptor.close();
    await acceptor.closed;
  });
});

describe("a burst of connections", () => {
  it("is passed on completely", async () => {
    let accepted = 0;
    const acceptor = new Acceptor(scripted(connections(5000)), {
      ...once,
      onConnection: () => accepted++,
    });
    await until(() => accepted === 5000);
    acceptor.close();
    await acceptor.closed;
  });

  for (
    const [count, { min, max }] of [
      [1_000, { min: 1_000, max: 1_000 }],
      // The first connections of a longer burst do not wait for its end.
      [20_000, { min: 2_000, max: 8_000 }],
    ] as const
  ) {
    it(`of ${count} is accepted before the first is served, ${max} at most`, async () => {
      const listener = burst(count);
      let served = 0;
      let acceptedAtFirst = 0;
      const acceptor = new Acceptor(listener, {
        ...once,
        onConnection() {
          if (served++ === 0) acceptedAtFirst = listener.accepted;
        },
      });
      await untilTurn(() => served === count);
      assertGreaterOrEqual(acceptedAtFirst, min);
      assertLessOrEqual(acceptedAtFirst, max);
      acceptor.close();
      await acceptor.closed;
    });
  }
});
