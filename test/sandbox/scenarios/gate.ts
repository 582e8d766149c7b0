import type { World } from "../world";

const page = { accept: "text/html" };

/** Nothing answers without login, and nobody but the gateway says who the visitor is. */
export function gate(world: World): void {
  const hosts = ["", "code"];

  test.each(hosts)("a page of %p without login leads to the portal", async (host) => {
    const answer = await world.request(host, "/", { headers: page });
    expect({ status: answer.status, to: new URL(answer.headers.location ?? "").hostname }).toEqual({
      status: 302,
      to: `auth.${world.domain}`,
    });
  });

  test.each(hosts)("a script's call to %p without login is refused, not redirected", async (host) => {
    const answer = await world.request(host, "/api", {
      headers: { accept: "application/json", "x-requested-with": "XMLHttpRequest" },
    });
    expect(answer.status).toBe(401);
  });

  test.each(["/terminal", "/terminal/", "/terminal/ws", "/event", "/session", "/global/health"])(
    "%s of OpenCode asks for login",
    async (path) => {
      expect((await world.request("code", path, { headers: page })).status).toBe(302);
    },
  );

  test("a forged Remote-User opens nothing", async () => {
    const forged = {
      ...page,
      "remote-user": "operator",
      "remote-groups": "admins",
      "x-forwarded-host": `auth.${world.domain}`,
      "x-forwarded-uri": "/api/health",
    };
    expect((await world.request("code", "/", { headers: forged })).status).toBe(302);
  });

  test("an App sees the gate's word on who came, and neither forged headers nor the login cookie", async () => {
    const echo = await withEcho(world, () =>
      world.request("code", "/echo", {
        headers: {
          cookie: `app=1; ${world.cookie}`,
          "remote-user": "mallory",
          "remote-evil": "1",
          "x-forwarded-user": "mallory",
          "x-forwarded-for": "6.6.6.6",
          "x-real-ip": "6.6.6.6",
        },
      }),
    );
    const seen = echo.body.toLowerCase();
    expect(echo.status).toBe(200);
    expect(seen).toContain("remote-user: operator");
    for (const forged of ["mallory", "remote-evil", "6.6.6.6", "authelia_session"]) expect(seen).not.toContain(forged);
    expect(seen).toContain("cookie: app=1");
  });

  test("every site speaks TLS 1.3 only, offers HTTP/3 and sets HSTS", async () => {
    const answer = await world.request("code", "/", { headers: { cookie: world.cookie } });
    expect(answer.headers["alt-svc"]).toContain('h3=":443"');
    expect(answer.headers["strict-transport-security"]).toMatch(/^max-age=\d+$/);
    const old = await world.onHost(
      `echo | openssl s_client -connect 127.0.0.1:443 -servername code.${world.domain} -tls1_2 2>&1 | grep -c 'protocol version' || true`,
    );
    expect(old).toBe("1");
  });

  test("plain HTTP only redirects", async () => {
    const answer = await fetch(`http://${world.sandbox.host.address}/`, {
      headers: { host: world.domain },
      redirect: "manual",
    });
    expect([301, 308]).toContain(answer.status);
  });
}

/** Puts a server that answers with the request it got in OpenCode's place; it is healthy to Caddy. */
async function withEcho<T>(world: World, action: () => Promise<T>): Promise<T> {
  const perl = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 4096, Listen => 5, ReuseAddr => 1) or die;
while (my $c = $s->accept) { my $t = ""; while (<$c>) { last if /^\\r?$/; $t .= $_ } $t = q({"healthy":true}) if $t =~ m#^GET /global/health#; print $c "HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nConnection: close\\r\\nContent-Length: " . length($t) . "\\r\\n\\r\\n$t"; close $c }`;
  const image = await world.onHost("docker inspect --format '{{.Image}}' cloudcode-opencode-server-1");
  await world.onHost(
    `docker stop --time 1 cloudcode-opencode-server-1 && docker run --detach --name echo --network cloudcode-edge-opencode --network-alias opencode-server --entrypoint perl ${image} -e '${perl}'
    for n in $(seq 100); do docker exec echo perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new("127.0.0.1:4096")' && exit; sleep 0.2; done; exit 1`,
  );
  try {
    return await action();
  } finally {
    await world.onHost(
      "docker rm --force echo && docker start cloudcode-opencode-server-1 && until [ \"$(docker inspect --format '{{.State.Health.Status}}' cloudcode-opencode-server-1)\" = healthy ]; do sleep 1; done",
    );
  }
}
