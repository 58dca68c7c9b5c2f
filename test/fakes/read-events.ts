/** One server-sent event, as it came. */
export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** Events of an answer as they come; who stops reading leaves the stream. */
export async function* readEvents({ body }: Response): AsyncGenerator<SentEvent> {
  if (body === null) return;
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const [, event = "", data = "", id = ""] = /^event: (\w+)\ndata: (.+)\nid: (\S+)$/.exec(part) ?? [];
      if (data !== "") yield { id, event, data: JSON.parse(data) as unknown };
    }
  }
}
