import { greetFirstVisit, h } from "./dom.js";

const panel = document.querySelector("#login");
const refusals = {
  wrong: "User name or password is wrong.",
  locked: "This account is locked after too many wrong passwords.",
};

greetFirstVisit();
askUser();

function askUser() {
  const user = h("input", { type: "text", id: "idpUser", name: "username", autocomplete: "off" });
  const next = (event) => {
    event.preventDefault();
    panel.replaceChildren(h("p", {}, "Loading..."));
    setTimeout(() => askPassword(user.value), Number(panel.dataset.delayMs));
  };
  panel.replaceChildren(
    h("h1", {}, "Secure Authentication"),
    h(
      "form",
      { onsubmit: next },
      h("label", { for: "idpUser" }, "User name"),
      user,
      h("button", { type: "submit" }, "Next"),
    ),
  );
}

function askPassword(user) {
  const password = h("input", { type: "password", id: "password", name: "password", autocomplete: "off" });
  const error = h("div", { class: "errormessage", role: "alert" });
  const signIn = async (event) => {
    event.preventDefault();
    const response = await fetch("/api/login", {
      method: "POST",
      body: JSON.stringify({ user, password: password.value }),
    });
    if (response.ok) {
      location.assign(`/sso?return=${encodeURIComponent(panel.dataset.returnTo + location.hash)}`);
      return;
    }
    error.textContent = refusals[(await response.json()).refused];
    password.value = "";
  };
  panel.replaceChildren(
    h("h1", {}, "Secure Authentication"),
    h("p", {}, user),
    h(
      "form",
      { onsubmit: signIn },
      h("label", { for: "password" }, "Password"),
      password,
      error,
      h("button", { id: "next", type: "submit" }, "Sign In"),
    ),
  );
  password.focus();
}
