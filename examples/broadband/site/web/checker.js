import { addressForm } from "./address-form.js";
import { greetFirstVisit, h, settings, showCookieBanner } from "./dom.js";
import { lineForm } from "./line-form.js";
import { suggestedList } from "./suggested-list.js";
import { footer, header, notFound, warning } from "./shell.js";

const searchRoute = "/ADSL/AddressHome";
const listRoute = "/ADSL/AddressSuggestedList";
const resultRoute = "/ADSL/AddressFeatureProduct";
const lineResultRoute = "/ADSL/UprnHome";
const unavailable = { errorId: 9 };

/**
 * Runs one face of the checker.
 *
 * @param {{ face: "public" | "totl", showResult: (answer: object, prefix: string) => Node }} face
 */
export function startChecker({ face, showResult }) {
  const root = document.querySelector("#app");
  let answer;
  let current = "";
  let leavingOnPurpose = false;

  const app = { face, ask, go, receive, startOver: () => go(searchRoute) };
  const views = {
    "/ADSL": () => lineForm(app),
    "/ADSL/Address": () => warning(app),
    [searchRoute]: () => addressForm(app),
    [listRoute]: () => answer?.addressMismatch === true && suggestedList(app, answer.addressObjectList),
    [resultRoute]: () => answer?.addressMismatch === false && showResult(answer, "AD"),
    [lineResultRoute]: () => answer?.addressMismatch === false && showResult(answer, "U"),
    "/ADSL/pageNotFound": notFound,
  };

  window.addEventListener("hashchange", () => {
    const guarded = [listRoute, resultRoute, lineResultRoute].includes(current);
    if (guarded && !leavingOnPurpose && !confirm("Leave this page? Its result will be gone.")) {
      history.pushState(null, "", `#${current}`);
      return;
    }
    leavingOnPurpose = false;
    draw();
  });
  greetFirstVisit();
  draw();

  function draw() {
    const asked = location.hash.slice(1).replace(/\/$/, "") || "/ADSL";
    const view = views[asked] ?? views["/ADSL/pageNotFound"];
    const content = view();
    if (content === false || content === undefined) {
      history.replaceState(null, "", `#${searchRoute}`);
      draw();
      return;
    }
    current = asked;
    const isResult = asked === resultRoute || asked === lineResultRoute;
    root.replaceChildren(
      header(current),
      h("main", { class: isResult ? "wide" : "narrow" }, content),
      footer(face, current),
    );
    window.scrollTo(0, 0);
  }

  function go(route) {
    leavingOnPurpose = true;
    if (location.hash === `#${route}`) draw();
    else location.hash = route;
  }

  /** Asks the server, with a spinner and the page's own timeout; whatever goes wrong reads as "unavailable". */
  async function ask(question, fields) {
    const spinner = h(
      "div",
      { class: "spinner", role: "status" },
      h("div", { class: "spinner-border" }, h("span", {}, "Loading...")),
    );
    document.body.append(spinner);
    try {
      const response = await fetch(`/api/${face}/${question}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(fields),
        signal: AbortSignal.timeout(settings.clientTimeoutMs),
      });
      if (response.status === 401) {
        location.assign(`/login?return=${location.pathname}${location.hash}`);
        return await new Promise(() => {});
      }
      return response.ok ? await response.json() : unavailable;
    } catch {
      return unavailable;
    } finally {
      spinner.remove();
    }
  }

  /** Shows an answer; gives back what is left for the asking form to show: an error or a captcha. */
  function receive(received, line = false) {
    if (received.blank === true) {
      document.body.replaceChildren();
      return {};
    }
    if (received.errorId !== 0) return received;
    answer = received;
    if (received.display.cookieBanner) showCookieBanner();
    go(received.addressMismatch ? listRoute : line ? lineResultRoute : resultRoute);
    return {};
  }
}
