/** An agent whose answer is as long as its row asks: `kilobytes` in one text. */
export default async function lookUp({ kilobytes }: { readonly kilobytes: string }): Promise<object> {
  return { structured_output: { text: Buffer.alloc(Number(kilobytes) * 1000, "answer ").toString("latin1") } };
}
