/** Reads Chromium's log of its network. TODO */
export function readNetworkLog(text: string, proxy: string): readonly string[] {
  return [text.slice(0, 0), proxy].slice(2);
}
