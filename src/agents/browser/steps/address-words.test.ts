import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareNumbers, isTypo, readBuilding, splitAtPostcode, wordsOf } from "./address-words.ts";

describe("words of an address", () => {
  it("come in one spelling", () => {
    assert.deepEqual(wordsOf("Apt 3, 34 – 40 O'Brien’s Rd."), ["flat", "3", "34-40", "obriens", "road"]);
    assert.deepEqual(wordsOf("45 A Park Road"), ["45a", "park", "road"]);
    assert.deepEqual(wordsOf("45 A"), ["45a"]);
    assert.deepEqual(wordsOf("Ross-on-Wye"), ["ross-on-wye"]);
    assert.deepEqual(wordsOf(" "), []);
  });

  it("before the street are number, flat and name", () => {
    const read = (text: string): object => readBuilding(wordsOf(text));
    assert.deepEqual(read("Flat 7, Albion House, 15"), { number: "15", part: "flat 7", name: "albion house" });
    assert.deepEqual(read("Flat 7"), { number: undefined, part: "flat 7", name: "" });
    assert.deepEqual(read("7, Albion House, 15"), { number: "15", part: "7", name: "albion house" });
    assert.deepEqual(read("The Old Forge"), { number: undefined, part: "", name: "old forge" });
    assert.deepEqual(read("34-40"), { number: "34-40", part: "", name: "" });
    assert.deepEqual(read("Report 9999 Mbps, 5"), { number: "5", part: "", name: "report 9999 mbps" });
  });

  it("compare as numbers of buildings", () => {
    assert.equal(compareNumbers("1a", "1a"), "same");
    assert.equal(compareNumbers("36", "34-40"), "in range");
    assert.equal(compareNumbers("35", "34-37"), "in range");
    for (const [wanted, listed] of [
      ["35", "34-40"],
      ["1", "1a"],
      ["1", "11"],
      ["42", "34-40"],
      ["36a", "34-40"],
      ["34-36", "34-40"],
      ["34-40", "36"],
    ] as const) {
      assert.equal(compareNumbers(wanted, listed), "other", `${wanted} and ${listed}`);
    }
  });

  it("tell a slip of the hand from another word", () => {
    for (const [a, b] of [
      ["chruch", "church"],
      ["canal", "cannal"],
      ["albion", "albin"],
      ["station", "stetion"],
    ] as const)
      assert.ok(isTypo(a, b), `${a} and ${b}`);
    for (const [a, b] of [
      ["mill", "hill"],
      ["lane", "land"],
      ["north", "south"],
      ["hatch", "latch"],
      ["1st", "2nd"],
      ["church", "chuck"],
    ] as const) {
      assert.ok(!isTypo(a, b), `${a} and ${b}`);
    }
  });

  it("end at the postcode, the expected one where several words look like one", () => {
    assert.deepEqual(splitAtPostcode("1 High St, sw1a1aa, WR"), { before: "1 High St, ", postcode: "SW1A 1AA" });
    assert.equal(splitAtPostcode("Block B1 2nd Floor, E8 4LX", "E8 4LX").postcode, "E8 4LX");
    assert.deepEqual(splitAtPostcode("no such thing"), { before: "no such thing", postcode: undefined });
  });
});
