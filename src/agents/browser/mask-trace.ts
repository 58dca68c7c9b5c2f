import { unzipSync, zipSync } from "fflate";
import { maskBytes, noMask, type Mask } from "../../core/mask.ts";

/**
 * A Playwright trace without secrets: it holds what was typed, the documents with what stands in their fields, and what was sent. Its
 * pictures are left as they are.
 */
export function maskTrace(mask: Mask, trace: Uint8Array): Uint8Array {
  if (mask === noMask) return trace;
  const masked = Object.entries(unzipSync(trace)).map(([name, content]) => {
    const isMedia = /\.(jpe?g|png|webp|gif|woff2?|ttf|mp4|webm)$/i.test(name);
    return [name, isMedia ? content : maskBytes(mask, content)] as const;
  });
  return zipSync(Object.fromEntries(masked));
}
