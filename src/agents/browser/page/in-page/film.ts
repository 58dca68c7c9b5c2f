/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** An encoded film, not yet in a file. */
export interface EncodedVideo {
  /** As WebCodecs names it: `avc1.42E01F`, `vp8`. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Setup data of the decoder, base64; only some codecs have it. */
  readonly description?: string;
  /** Frames: base64, and milliseconds since the film's start. */
  readonly packets: readonly { readonly data: string; readonly key: boolean; readonly timestampMs: number }[];
}

/** A film in the making. */
export interface PageFilm {
  /** Adds a picture: JPEG, base64. */
  add(picture: string, atMs: number): Promise<void>;
  /** Shows the last picture until `atMs` and answers with the film. */
  finish(atMs: number): Promise<EncodedVideo>;
  /** Forgets the film. */
  drop(): void;
}

/**
 * Begins a film in the browser's own encoder; null when it has none for this size.
 * Runs inside the page: its source text is sent there, so it must not use anything from outside itself.
 */
export async function openFilm({ width, height }: { width: number; height: number }): Promise<PageFilm | null> {
  const toBase64 = (bytes: Uint8Array): string => {
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };

  const begin = (config: VideoEncoderConfig): PageFilm => {
    const canvas = new OffscreenCanvas(width, height);
    const pen = canvas.getContext("2d");
    const packets: EncodedVideo["packets"][number][] = [];
    let description: string | undefined;
    let failure: DOMException | undefined;
    const encoder = new VideoEncoder({
      output: (chunk, metadata) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        const known = metadata?.decoderConfig?.description;
        if (known !== undefined)
          description = toBase64(new Uint8Array(ArrayBuffer.isView(known) ? known.buffer : known));
        packets.push({ data: toBase64(bytes), key: chunk.type === "key", timestampMs: chunk.timestamp / 1000 });
      },
      error: (error) => {
        failure = error;
      },
    });
    encoder.configure(config);
    let frames = 0;
    const encode = (atMs: number): void => {
      if (failure !== undefined) throw failure;
      const frame = new VideoFrame(canvas, { timestamp: Math.round(atMs * 1000) });
      encoder.encode(frame, { keyFrame: frames % 100 === 0 });
      frames += 1;
      frame.close();
    };
    return {
      async add(picture, atMs) {
        const response = await fetch(`data:image/jpeg;base64,${picture}`);
        const image = await createImageBitmap(await response.blob());
        pen?.drawImage(image, 0, 0);
        image.close();
        encode(atMs);
      },
      async finish(atMs) {
        encode(atMs);
        await encoder.flush();
        encoder.close();
        if (failure !== undefined) throw failure;
        return { codec: config.codec, width, height, description, packets };
      },
      drop: () => encoder.close(),
    };
  };

  if (!("VideoEncoder" in globalThis)) return null;
  for (const codec of ["avc1.42E01F", "avc1.42E028", "avc1.42E033", "vp8"]) {
    const config = { codec, width, height, bitrate: 1_500_000, framerate: 10, latencyMode: "realtime" as const };
    const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({ supported: false }));
    if (supported === true) return begin(config);
  }
  return null;
}
