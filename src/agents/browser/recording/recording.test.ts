import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import type { Artifacts, RecordingLevel } from "../../../core/agent.ts";
import type { StepRecord } from "../../../core/attempt.ts";
import { writeUnderFreeName } from "../../../attempt/artifact-name.ts";
import { RowcallError } from "../../../core/errors.ts";
import { findChromium } from "../chromium/chromium.ts";
import { openBrowserPool, type BrowserPool } from "../chromium/pool.ts";
import { startRecording, type Recording } from "./recording.ts";
import { openTabs } from "../page/tabs.ts";

const never = new AbortController().signal;

interface Kept {
  readonly name: string;
  readonly content: Uint8Array;
  readonly contentType: string;
}

function keepAll(kept: Kept[]): Artifacts {
  return {
    save: async (wanted, content, contentType) => {
      const { name } = await writeUnderFreeName(wanted, async (free) => {
        if (kept.some((file) => file.name === free)) throw new RowcallError("OUTPUT_EXISTS", free);
        kept.push({ name: free, content, contentType });
      });
      return `memory:/${name}`;
    },
    step: () => undefined,
  };
}

describe("recording", () => {
  let pool: BrowserPool;
  before(async () => {
    pool = openBrowserPool({ binary: await findChromium({}), concurrency: 2 });
  });
  after(() => pool.close());

  async function record<T>(
    level: RecordingLevel,
    kept: Kept[],
    work: (recording: Recording, page: Page) => Promise<T>,
  ): Promise<T> {
    return pool.withContext({ viewport: { width: 641, height: 360 } }, never, async (context) => {
      const page = await context.newPage();
      await page.setContent("<h1>Before</h1>");
      const recording = await startRecording(level, await openTabs(page), keepAll(kept));
      try {
        return await work(recording, page);
      } finally {
        recording.discard();
      }
    });
  }

  it("keeps nothing at level none, but the pictures that were asked for", async () => {
    const kept: Kept[] = [];
    assert.equal(await record("none", kept, (recording) => recording.finish("final")), undefined);
    assert.equal(kept.length, 0);
    await record("none", kept, (recording) => recording.screenshot("list"));
    assert.deepEqual(
      kept.map((file) => file.name),
      ["list.jpg"],
    );
  });

  it("keeps a picture at the end, in the size of the viewport", async () => {
    const kept: Kept[] = [];
    const uri = await record("screenshot", kept, (recording) => recording.finish("final"));
    assert.equal(uri, "memory:/final.jpg");
    assert.equal(kept[0]?.contentType, "image/jpeg");
    assert.deepEqual(await pictureSize(kept[0]), [641, 360]);
  });

  it("names a failure's picture so", async () => {
    const kept: Kept[] = [];
    assert.equal(await record("screenshot", kept, (recording) => recording.finish("failure")), "memory:/failure.jpg");
  });

  it("never overwrites a picture, and keeps names that are safe for files", async () => {
    const kept: Kept[] = [];
    await record("screenshot", kept, async (recording) => {
      for (const name of ["list", "list", "../up/Größe 1", "///"]) await recording.screenshot(name);
    });
    assert.deepEqual(
      kept.map((file) => file.name),
      ["list.jpg", "list-2.jpg", "up-Größe-1.jpg", "screenshot.jpg"],
    );
  });

  it("films a page as a video that a browser plays, to its last frame", async () => {
    const kept: Kept[] = [];
    const uri = await record("video", kept, async (recording, page) => {
      for (const color of ["red", "lime", "blue"]) {
        await page.evaluate(
          `document.body.style.background = "${color}"; new Promise((done) => setTimeout(done, 250))`,
        );
      }
      return recording.finish("final");
    });
    assert.match(uri ?? "", /^memory:\/recording\.(mp4|webm)$/);
    const film = await play(kept[0]!);
    assert.deepEqual([film.width, film.height], [642, 360]);
    assert.ok(film.seconds > 0.7 && film.seconds < 20, `${film.seconds} s`);
    const [red, green, blue] = film.lastPixel;
    assert.ok(blue! > 200 && red! < 60 && green! < 60, `the last frame is ${film.lastPixel.join(" ")}, not blue`);
  });

  it("films several pages of one browser at once, and a failure with its picture", async () => {
    const kept: readonly Kept[][] = [[], []];
    await Promise.all(kept.map((own) => record("video", own, (recording) => recording.finish("failure"))));
    for (const own of kept)
      assert.deepEqual(own.map((file) => file.name.replace("webm", "mp4")).toSorted(), [
        "failure.jpg",
        "recording.mp4",
      ]);
  });

  it("keeps a Playwright trace and a picture at level trace", async () => {
    const kept: Kept[] = [];
    const uri = await record("trace", kept, async (recording, page) => {
      await page.locator("h1").click();
      return recording.finish("final");
    });
    assert.equal(uri, "memory:/final.jpg");
    assert.deepEqual(
      kept.map((file) => file.name),
      ["final.jpg", "trace.zip"],
    );
    assert.equal(Buffer.from(kept[1]!.content.subarray(0, 2)).toString(), "PK");
  });

  it("says what could not be kept, and goes on", async () => {
    const steps: StepRecord[] = [];
    const full: Artifacts = {
      save: () => Promise.reject(new RowcallError("STORE_FAILED", "The disk is full")),
      step: (step) => void steps.push(step),
    };
    for (const level of ["screenshot", "video", "trace"] as const) {
      steps.length = 0;
      const uri = await pool.withContext({}, never, async (context) => {
        const recording = await startRecording(level, await openTabs(await context.newPage()), full);
        return recording.finish("final");
      });
      assert.equal(uri, undefined);
      assert.ok(steps.length > 0, level);
      for (const { name, status, detail } of steps) {
        assert.match(name, /^keep the (last picture|video|trace)$/);
        assert.deepEqual([status, detail], ["failed", "The recording is not complete: The disk is full"]);
      }
    }
  });

  it("fails a picture that was asked for when it cannot be kept", async () => {
    const full: Artifacts = {
      save: () => Promise.reject(new RowcallError("STORE_FAILED", "The disk is full")),
      step: () => undefined,
    };
    const taken = pool.withContext({}, never, async (context) =>
      (await startRecording("none", await openTabs(await context.newPage()), full)).screenshot("list"),
    );
    await assert.rejects(taken, { code: "STORE_FAILED" });
  });

  it("takes no picture of a page that is being left", async () => {
    const held: ServerResponse[] = [];
    const server = createServer((request, response) => {
      if (request.url === "/two") held.push(response);
      else response.setHeader("content-type", "text/html").end("<body style='background:red'>");
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", () => resolve()));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const kept: Kept[] = [];
    try {
      await pool.withContext({}, never, async (context) => {
        const page = await context.newPage();
        await page.goto(`${origin}/one`);
        const tabs = await openTabs(page);
        await page.evaluate("location = '/two'");
        const recording = await startRecording("screenshot", tabs, keepAll(kept));
        const finished = recording.finish("final");
        // The picture is asked for while the old page still shows, and the new one comes afterwards.
        while (held.length === 0) await new Promise((resolve) => void setImmediate(resolve));
        held[0]?.setHeader("content-type", "text/html").end("<body style='background:blue'>");
        await finished;
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
    const pixel = await inPage<readonly number[]>(`
      const image = new Image();
      image.src = ${JSON.stringify(dataUrl(kept[0]!))};
      await image.decode();
      const pen = new OffscreenCanvas(10, 10).getContext("2d");
      pen.drawImage(image, 0, 0);
      return [...pen.getImageData(5, 5, 1, 1).data];`);
    assert.ok(pixel[2]! > 200 && pixel[0]! < 60, `the picture is ${pixel.join(" ")}, not blue`);
  });

  async function pictureSize(file: Kept): Promise<readonly number[]> {
    return inPage(`
      const image = new Image();
      image.src = ${JSON.stringify(dataUrl(file))};
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];`);
  }

  async function play(
    file: Kept,
  ): Promise<{ width: number; height: number; seconds: number; lastPixel: readonly number[] }> {
    return inPage(`
      const video = document.createElement("video");
      const event = (name) => new Promise((resolve, reject) => { video["on" + name] = resolve; video.onerror = () => reject(video.error); });
      const loaded = event("loadeddata");
      video.src = ${JSON.stringify(dataUrl(file))};
      await loaded;
      const seeked = event("seeked");
      // Within the last frame: at the very end a player may show nothing.
      video.currentTime = video.duration - 0.05;
      await seeked;
      const pen = new OffscreenCanvas(video.videoWidth, video.videoHeight).getContext("2d");
      let lastPixel;
      do {
        await new Promise(requestAnimationFrame);
        pen.drawImage(video, 0, 0);
        lastPixel = [...pen.getImageData(600, 300, 1, 1).data];
      } while (lastPixel[3] === 0);
      return { width: video.videoWidth, height: video.videoHeight, seconds: video.duration, lastPixel };`);
  }

  async function inPage<T>(script: string): Promise<T> {
    return pool.withContext({}, never, async (context) =>
      (await context.newPage()).evaluate(`(async () => {${script}})()`),
    );
  }
});

function dataUrl(file: Kept): string {
  return `data:${file.contentType};base64,${Buffer.from(file.content).toString("base64")}`;
}
