import type { CDPSession } from "playwright-core";

/** The requests that an action has set off. */
export interface ActionRequests {
  /** Number of requests without an answer yet. */
  readonly open: number;
  /** Forgets what there was; what begins from now on counts, or does not. */
  begin(counts: boolean): void;
  /** Stops counting new requests until an answer comes: what follows that may be its consequence. */
  stop(): void;
}

/** Requests that scripts make and go on with. Pictures, beacons and streams are nothing that a page waits for. */
const kinds: readonly string[] = ["Fetch", "XHR", "Script"];

/** Follows the requests of a page's main frame. */
export function followRequests(
  protocol: CDPSession,
  isMain: (frameId: string | undefined) => boolean,
  onAnswer: () => void,
): ActionRequests {
  /** By id, whether the answer has begun. */
  const open = new Map<string, boolean>();
  let counts = false;
  const end = (requestId: string): void => {
    if (!open.delete(requestId)) return;
    counts = true;
    onAnswer();
  };
  protocol.on("Network.requestWillBeSent", ({ requestId, type, frameId }) => {
    if (counts && isMain(frameId) && kinds.includes(type ?? "")) open.set(requestId, false);
  });
  protocol.on("Network.responseReceived", ({ requestId, response }) => {
    if (!open.has(requestId)) return;
    counts = true;
    open.set(requestId, true);
    if (/^(text\/event-stream|application\/x-ndjson)/.test(response.mimeType)) end(requestId);
  });
  protocol.on("Network.loadingFinished", ({ requestId }) => end(requestId));
  protocol.on("Network.loadingFailed", ({ requestId }) => end(requestId));
  return {
    get open() {
      return open.size;
    },
    begin(from) {
      open.clear();
      counts = from;
    },
    stop() {
      counts = [...open.values()].includes(true);
    },
  };
}
