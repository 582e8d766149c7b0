// A login, and a check-in with the code of a QR code that somebody followed; in the original's words and with its token's place.
/* global document, fetch, localStorage, location, URLSearchParams */
const api = "API";
const element = (selector) => document.querySelector(selector);

async function send(path, body) {
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${localStorage.getItem("access_token")}`,
  };
  const answer = await fetch(api + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { ok: answer.ok, body: await answer.json() };
}

async function show() {
  element("form").hidden = localStorage.getItem("access_token") !== null;
  const code = new URLSearchParams(location.search).get("code");
  if (!element("form").hidden || location.pathname !== "/check-in" || code === null) return;
  const { ok } = await send("/v1/attendance/check-in", { qr_code: code });
  element("#said").textContent = ok ? "Check-in recorded successfully." : "Scan failed. Please try again.";
}

element("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [username, password] = ["text", "password"].map((type) => element(`input[type=${type}]`).value);
  const { ok, body } = await send("/v1/auth/login", { username, password });
  if (ok) localStorage.setItem("access_token", body.data.access_token);
  else element("#said").textContent = body.detail;
  await show();
});
await show();
element("#api").textContent = (await (await fetch("API/health")).json()).status;
