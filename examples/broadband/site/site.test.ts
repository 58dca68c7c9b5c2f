import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckerAnswer } from "./checker-api.ts";
import { canonicalPostcode } from "./address-search.ts";
import { siteData } from "./data.ts";
import { createSiteApp, startSite, type SiteApp } from "./server.ts";

async function post(
  site: SiteApp,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return site.app.request(path, { method: "POST", body: JSON.stringify(body), headers });
}

async function search(
  site: SiteApp,
  buildingNumber: string,
  streetOrRoad: string,
  postCode: string,
  more: object = {},
): Promise<CheckerAnswer> {
  const response = await post(site, "/api/public/address-search", { buildingNumber, streetOrRoad, postCode, ...more });
  return (await response.json()) as CheckerAnswer;
}

function listed(answer: CheckerAnswer): string[] {
  assert.ok("addressObjectList" in answer, JSON.stringify(answer));
  return answer.addressObjectList.map(({ text }) => text);
}

test("number, street and postcode that fit one home lead straight to its result", async () => {
  const answer = await search(createSiteApp(), "23", "high street", "SW1A 1AA");
  assert.ok("exchangeName" in answer);
  assert.deepEqual(
    [answer.address, answer.exchangeName, answer.cabinetNumber],
    ["23 High Street, London", "KINGSLAND GREEN", 9],
  );
  assert.deepEqual(answer.featuredProductTable.copper[0], [
    "VDSL Range A (Clean)",
    "80",
    "74",
    "20",
    "19",
    "71",
    "Available",
    "Available",
  ]);
});

test("a postcode in lower case or without its space is not matched", async () => {
  const site = createSiteApp();
  assert.deepEqual(await search(site, "23", "High Street", "sw1a 1aa"), { errorId: 1 });
  assert.deepEqual(await search(site, "23", "High Street", "SW1A1AA"), { errorId: 1 });
  assert.deepEqual(await search(site, "23", "High Street", "ZZ1 1ZZ"), { errorId: 8 });
});

test("a number without its letter, a misspelt street and a postcode alone bring up the list", async () => {
  const site = createSiteApp();
  assert.ok(
    listed(await search(site, "45", "Park Road", "E8 4LX")).includes(
      "45A Park Road, Hackney, London, E8 4LX, LN, A00022000016",
    ),
  );
  assert.equal(listed(await search(site, "1", "Chruch view", "DN12 1RH")).length, 8);
  assert.equal(listed(await search(site, "", "", "LS6 2QQ")).length, 34);
});

test("a home without a district code is listed with XX", async () => {
  assert.match(
    listed(await search(createSiteApp(), "18", "Links Place", "KY16 9AA")).join(),
    /18 Links Place, St Andrews, KY16 9AA, XX, A/,
  );
});

test("every home that an expectation means is found by the form, at once or in the list", async () => {
  const site = createSiteApp({ behaviours: { "*": { delayMs: 0, captcha: false } } });
  for (const { input, premises, expected } of siteData.expectations.filter(
    (each) => each.expected.status === "SUCCESS",
  )) {
    const digits = /^\d+$/.test(input.building_number) ? input.building_number : "";
    const times = siteData.postcodes[canonicalPostcode(input.postcode)]?.times ?? 0;
    for (let i = 0; i < times; i += 1) await search(site, digits, input.street, canonicalPostcode(input.postcode));
    const answer = await search(site, digits, input.street, canonicalPostcode(input.postcode));
    const offered =
      "addressObjectList" in answer
        ? answer.addressObjectList.map(({ refNumber }) => refNumber)
        : "refNumber" in answer
          ? [answer.refNumber]
          : [];
    assert.ok(
      offered.includes(premises ?? ""),
      `${input.building_number} ${input.street}: ${JSON.stringify(expected)}`,
    );
  }
});

test("the seed turns the list, the rest of it stays in order", async () => {
  const site = createSiteApp();
  const usual = listed(await search(site, "", "", "OX7 5XY"));
  site.control({ seed: 1 });
  assert.deepEqual(listed(await search(site, "", "", "OX7 5XY")), [...usual.slice(1), usual[0]]);
});

test("the chosen entry of the list is answered with its result", async () => {
  const response = await post(createSiteApp(), "/api/public/address-select", { refNumber: "A00022000016" });
  const answer = (await response.json()) as CheckerAnswer;
  assert.ok("exchangeName" in answer);
  assert.equal(answer.address, "45A Park Road, Hackney, London");
});

test("a checker that is unavailable twice answers the third search, over and over", async () => {
  const site = createSiteApp();
  const outcomes: boolean[] = [];
  for (let i = 0; i < 6; i += 1) outcomes.push("exchangeName" in (await search(site, "6", "Arundel Gate", "S1 2BJ")));
  assert.deepEqual(outcomes, [false, false, true, false, false, true]);
});

test("a captcha that was asked for must be answered as on its picture", async () => {
  const site = createSiteApp({ captcha: true });
  assert.deepEqual(await search(site, "23", "High Street", "SW1A 1AA"), { captcha: "missing" });
  assert.deepEqual(await search(site, "23", "High Street", "SW1A 1AA", { userCaptcha1: "WRONG1" }), {
    captcha: "wrong",
  });
  assert.ok("exchangeName" in (await search(site, "23", "High Street", "SW1A 1AA", { userCaptcha1: "R7K2PX" })));
});

test("the fault plan of a test wins over the data, and a reset ends it", async () => {
  const site = createSiteApp();
  site.control({
    behaviours: { "*": { failure: "unavailable" }, "SW1A 1AA": { errorId: 2, failure: "unavailable", times: 0 } },
  });
  assert.deepEqual(await search(site, "1", "Church View", "DN12 1RH"), { errorId: 9 });
  assert.deepEqual(await search(site, "23", "High Street", "SW1A 1AA"), { errorId: 2 });
  site.control({ reset: true });
  assert.deepEqual(site.log(), []);
  assert.ok("exchangeName" in (await search(site, "23", "High Street", "SW1A 1AA")));
});

test("the log tells each search once, as it was typed", async () => {
  const site = createSiteApp();
  await search(site, "23", "High Street", "sw1a 1aa");
  const log: unknown = await (await site.app.request("/__log")).json();
  assert.deepEqual(log, [
    {
      kind: "search",
      face: "public",
      asked: { buildingNumber: "23", streetOrRoad: "High Street", postCode: "sw1a 1aa" },
    },
  ]);
});

test("controls are set by a POST, and an unknown one is refused by name", async () => {
  const site = createSiteApp();
  assert.equal((await post(site, "/__control", { closed: true })).status, 200);
  assert.equal((await site.app.request("/public/")).status, 503);
  const refused = await post(site, "/__control", { lattencyMs: 1 });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /lattencyMs/);
});

test("a UPRN is looked up, one of the wrong length or without a home is not", async () => {
  const site = createSiteApp();
  const ask = async (uprnId: string): Promise<CheckerAnswer> =>
    (await (await post(site, "/api/public/line-search", { uprnId })).json()) as CheckerAnswer;
  assert.ok("exchangeName" in (await ask("200000000001")));
  assert.deepEqual(await ask("999999999999"), { errorId: 14 });
  assert.deepEqual(await ask("12"), { errorId: 15 });
});

async function logIn(site: SiteApp, password = "replica"): Promise<Response> {
  return post(site, "/api/login", { user: "tester", password });
}

function cookieOf(response: Response): { cookie: string } {
  return { cookie: response.headers.getSetCookie()[0]?.split(";")[0] ?? "" };
}

test("the logged-in checker sends strangers to the login and keeps its answers from them", async () => {
  const site = createSiteApp();
  const page = await site.app.request("/bbac-ui/totl/totlSearch/");
  assert.deepEqual([page.status, page.headers.get("location")], [302, "/login?return=/bbac-ui/totl/totlSearch/"]);
  assert.equal((await post(site, "/api/totl/address-search", {})).status, 401);
});

test("a second login ends the first", async () => {
  const site = createSiteApp();
  const first = cookieOf(await logIn(site));
  const second = cookieOf(await logIn(site));
  assert.equal((await site.app.request("/portal", { headers: first })).status, 302);
  assert.equal((await site.app.request("/portal", { headers: second })).status, 200);
});

test("three wrong passwords lock the account until a reset", async () => {
  const site = createSiteApp();
  const refusals: unknown[] = [];
  for (let i = 0; i < 3; i += 1) refusals.push(await (await logIn(site, "guess")).json());
  assert.deepEqual(refusals, [{ refused: "wrong" }, { refused: "wrong" }, { refused: "locked" }]);
  assert.equal((await logIn(site)).status, 401);
  site.control({ reset: true });
  assert.equal((await logIn(site)).status, 200);
});

test("a login lasts for as many requests as the controls say", async () => {
  const site = createSiteApp({ sessionRequests: 2 });
  const headers = cookieOf(await logIn(site));
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1)
    statuses.push((await post(site, "/api/totl/address-search", { postCode: "SW1A 1AA" }, headers)).status);
  assert.deepEqual(statuses, [200, 200, 401]);
});

test("the way back from the login stays on this site", async () => {
  const page = await (await createSiteApp().app.request("/login?return=//elsewhere.example/")).text();
  assert.match(page, /data-return-to="\/portal"/);
});

test("over a port, an HTTP 500 and a dropped connection are what they say, and closing ends a slow answer", async () => {
  const site = await startSite();
  const ask = (postCode: string): Promise<Response> =>
    fetch(`${site.url}/api/public/address-search`, { method: "POST", body: JSON.stringify({ postCode }) });
  try {
    assert.equal((await ask("S1 2BL")).status, 500);
    await assert.rejects(ask("S1 2BN"));
  } finally {
    const slow = assert.rejects(ask("RG1 1AD"));
    await site.close();
    await slow;
  }
});
