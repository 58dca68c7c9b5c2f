import { setFlagsFromString } from "node:v8";

// Shorter ones pass through V8's young generation, where what is left behind costs nothing.
const largeLength = 64 * 1024;

let isCollectedEarly = false;

/**
 * Notes how long an answer is. From the first large one on, V8 collects when its heap has grown by a third: left to itself it waits
 * until a small heap is four times as large as what is in use, and that would be copies of answers.
 */
export function noteAnswerLength(length: number): void {
  if (length < largeLength || isCollectedEarly) return;
  isCollectedEarly = true;
  setFlagsFromString("--heap-growing-percent=33");
}
