import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestIo } from "../../../test/fakes/io.ts";
import { colorsFor } from "../cli.ts";
import { write } from "../io.ts";
import { jsonLine } from "../../core/printable.ts";
import { withTerminal } from "./terminal.ts";

const steering =
  "a\u001b[2Jb\u009b31mc\u202ed\u2066e\u200ff\u0007g\u007fh\u061ci\ufeffj\u2028k\u{e0041}l\r\u001b[31;1;2;3mm";

describe("what is printed", () => {
  it("keeps of escapes only our own colours, whoever writes it", async () => {
    const terminal = createTestIo({ columns: 80 });
    const io = withTerminal(withTerminal(terminal));
    await write(io.stdout, `${colorsFor(io, io.stdout).bold(steering)}\n\tnaïve 住所 🏠\n`);
    io.stderr.write(steering);
    assert.equal(terminal.out(), "\u001b[1ma[2Jb31mcdefghijkl[31;1;2;3mm\u001b[22m\n\tnaïve 住所 🏠\n");
    assert.equal(terminal.err(), "a[2Jb31mcdefghijkl[31;1;2;3mm");
  });

  it("passes bytes as they are: they are the table", async () => {
    const io = createTestIo({ columns: 80 });
    await write(withTerminal(io).stdout, Buffer.from(steering));
    assert.equal(io.out(), steering);
  });

  it("loses nothing as JSON", async () => {
    const io = createTestIo();
    await write(withTerminal(io).stdout, jsonLine({ steering, [steering]: [1] }));
    assert.deepEqual(JSON.parse(io.out()), { steering, [steering]: [1] });
    assert.match(io.out(), /^[\u0020-\u007e]+\n$/);
  });
});
