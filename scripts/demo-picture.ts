// Runs the demo in a terminal of 116 columns and writes what stands on its screen at the end to docs/demo.png.
// Needs the `script` command, which Linux and macOS come with.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import xterm from "@xterm/headless";
import { launchBrowser } from "../src/agents/browser/chromium/browser-process.ts";
import { findChromium } from "../src/agents/browser/chromium/chromium.ts";

const columns = 116;
const home = fileURLToPath(new URL("..", import.meta.url));
const terminal = new xterm.Terminal({ cols: columns, rows: 200, allowProposedApi: true, convertEol: true });
const child = spawn("script", ["-qec", `stty cols ${columns}; npm run --silent demo`, "/dev/null"], {
  cwd: home,
  env: { ...process.env, TERM: "xterm-256color", NO_COLOR: "" },
});
child.stdout.on("data", (chunk: Buffer) => terminal.write(chunk));
await once(child, "close");
await new Promise<void>((done) => terminal.write("", done));

const lines = ["$ npm run demo", ...screen()].map((line) => line.replaceAll(home, ""));
const html = `<body style="margin:0;background:#16181d"><pre style="margin:0;padding:20px 24px;font:14px/1.45 'DejaVu Sans Mono',monospace;
  color:#d7dae0;display:inline-block">${lines.join("\n")}</pre></body>`;
const { browser, end } = await launchBrowser(await findChromium({}));
const page = await browser.newPage({ deviceScaleFactor: 2 });
await page.setContent(html);
await page.locator("pre").screenshot({ path: `${home}docs/demo.png` });
await end();

function screen(): string[] {
  const buffer = terminal.buffer.active;
  const texts = Array.from({ length: buffer.length }, (_, y) => lineOf(y));
  while (texts.at(-1) === "") texts.pop();
  return texts;

  function lineOf(y: number): string {
    const line = buffer.getLine(y);
    let text = "";
    for (let x = 0; x < columns; x += 1) {
      const cell = line?.getCell(x);
      const chars = cell?.getChars() ?? "";
      const escaped = (chars === "" ? " " : chars).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
      text +=
        cell?.isBold() || (cell?.getFgColorMode() ?? 0) !== 0
          ? `<span style="${styleOf(cell)}">${escaped}</span>`
          : escaped;
    }
    return text.trimEnd();
  }
}

function styleOf(cell: { isBold(): number; getFgColor(): number; getFgColorMode(): number } | undefined): string {
  const palette = ["#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0"];
  const color =
    cell !== undefined && cell.getFgColorMode() !== 0 ? `color:${palette[cell.getFgColor() % 8] ?? ""};` : "";
  return `${color}${cell !== undefined && cell.isBold() !== 0 ? "font-weight:bold" : ""}`;
}
