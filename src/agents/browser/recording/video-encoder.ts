import type { Browser, JSHandle, Page } from "playwright-core";
import { RowcallError } from "../../../core/errors.ts";
import { firstLine, meansGone } from "../failures.ts";
import { openFilm, type EncodedVideo, type PageFilm } from "../page/in-page/film.ts";

/** A film in the making, in a page of the browser that it shows; by the methods of {@link PageFilm}. */
export interface Film {
  add(picture: string, atMs: number): Promise<void>;
  finish(atMs: number): Promise<EncodedVideo>;
  drop(): Promise<void>;
}

const encoders = new WeakMap<Browser, Promise<Page>>();

/**
 * Begins a film in the browser's own encoder, in a page of its own: nothing is downloaded, no other program is needed.
 *
 * @throws RowcallError DEPENDENCY_MISSING when this browser cannot encode this size
 */
export async function beginFilm(browser: Browser, { width, height }: PageSize): Promise<Film> {
  const page = await encoderOf(browser);
  const call = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      const code = page.isClosed() || meansGone(cause) ? "BROWSER_CRASHED" : "DEPENDENCY_MISSING";
      throw new RowcallError(code, `The video could not be encoded: ${firstLine(cause)}`, { cause });
    }
  };
  // Codecs want even sizes.
  const even = { width: width + (width % 2), height: height + (height % 2) };
  const film = (await call(page.evaluateHandle(openFilm, even))) as JSHandle<PageFilm>;
  if (await call(film.evaluate((opened) => (opened as PageFilm | null) === null))) {
    throw new RowcallError("DEPENDENCY_MISSING", `This browser cannot encode video of ${width} by ${height} pixels`, {
      hint: "Record screenshots or a trace, or name another Chrome or Chromium with --chromium.",
    });
  }
  const letGo = (): void => void film.dispose().catch(() => undefined);
  return {
    add: (picture, atMs) => call(film.evaluate((it, [jpeg, at]) => it.add(jpeg, at), [picture, atMs] as const)),
    finish: (atMs) => call(film.evaluate((it, at) => it.finish(at), atMs)).finally(letGo),
    drop: () => call(film.evaluate((it) => it.drop())).finally(letGo),
  };
}

/** CSS pixels. */
interface PageSize {
  readonly width: number;
  readonly height: number;
}

/** The page of a browser that films are encoded in; one that has crashed or was closed is replaced. */
function encoderOf(browser: Browser): Promise<Page> {
  const known = encoders.get(browser);
  if (known !== undefined) return known;
  const opening = openEncoder(browser);
  encoders.set(browser, opening);
  const forget = (): void => void encoders.delete(browser);
  opening.then((page) => void page.once("crash", forget).once("close", forget), forget);
  return opening;
}

/** The page is never loaded from anywhere; only secure origins may encode. */
const address = "https://encoder.invalid/";

async function openEncoder(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 100, height: 100 } });
  const page = await context.newPage();
  await page.route(address, (route) => route.fulfill({ contentType: "text/html", body: "<title>encoder</title>" }));
  await page.goto(address);
  return page;
}
