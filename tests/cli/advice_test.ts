import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseCommand, readText } from "../../lib/cli/program.ts";
import { program } from "../../lib/cli/server_program.ts";
import { acceptAdvice, advice } from "../../server.ts";

describe("the advice of the server", () => {
  it("names the limit that accepting has reached", () => {
    const adviceFor = (text: string) => acceptAdvice(new Error(text)) ?? "";
    assertStringIncludes(
      adviceFor("Too many open files (os error 24)"),
      "ulimit",
    );
    assertEquals(
      adviceFor("Too many open files in system (os error 23)").includes(
        "ulimit",
      ),
      false,
    );
    assertEquals(adviceFor("Cannot allocate memory (os error 12)"), "");
    assertEquals(adviceFor("No buffer space available (os error 105)"), "");
  });

  it("is about the port, the path or the file for which permission was denied", () => {
    const denied = new Deno.errors.PermissionDenied("denied");
    const adviceFor = (...args: string[]) => {
      const command = parseCommand(program, args);
      return advice(denied, "values" in command ? command.values : undefined);
    };
    assertStringIncludes(adviceFor("--port", "7") ?? "", "--port above 1023");
    assertStringIncludes(adviceFor("--unix", "/x") ?? "", "a path");

    const readTextFileSync = Deno.readTextFileSync;
    try {
      Deno.readTextFileSync = () => {
        throw denied;
      };
      const error = assertThrows(
        () => readText("key.pem"),
        Error,
        "Cannot read key.pem: permission denied; allow this user to read it",
      );
      assertEquals(advice(error), undefined);
    } finally {
      Deno.readTextFileSync = readTextFileSync;
    }
  });
});
