import type { World } from "../world";
import { type Receivers, startReceivers } from "./receivers";

const admin = "me@example.com";
const alertSecrets = { smtpPassword: `pä'ss"wörd\\ $HOME #{{x}}`, hookPath: "T0/only-mine" } as const;
const authority = "/usr/local/share/ca-certificates/cloudcode-alert-test.crt";

/** The daily self-check: silent while all is well, one message to each who wants it when something is red. */
export function alerts(world: World): void {
  let receivers: Receivers;
  /** Runs the timer's unit to its end, and gives its result. */
  const check = () =>
    world.onHost("systemctl start cloudcode-alert.service; systemctl show -p Result --value cloudcode-alert.service");
  const processes = () => world.onHost("ps -eo args");

  beforeAll(async () => {
    receivers = await startReceivers(world.sandbox.host.gateway, {
      username: admin,
      password: alertSecrets.smtpPassword,
    });
    await world.sandbox.exec(["sh", "-c", `cat >${authority} && update-ca-certificates`], {
      input: receivers.certificate,
    });
    // An old base image has security updates waiting, which would be red.
    await world.onHost("apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y upgrade >/dev/null");
    world.sandbox.configure({
      adminEmail: admin,
      alertMail: "true",
      smtpAddress: receivers.mailAddress,
      smtpUsername: admin,
    });
    await world.setSecrets({
      smtpPassword: alertSecrets.smtpPassword,
      alertWebhook: `${receivers.webAddress}/${alertSecrets.hookPath}`,
    });
  });
  afterAll(async () => {
    await receivers.stop();
    await world.onHost(`rm -f ${authority} && update-ca-certificates --fresh`);
  });

  test("the host looks at itself every morning, and says nothing while all is well", async () => {
    const words = await world.up();
    for (const secret of Object.values(alertSecrets)) expect(words).not.toContain(secret);
    expect(await world.onHost("systemctl show -p NextElapseUSecRealtime --value cloudcode-alert.timer")).toMatch(
      / 07:[01]\d:/,
    );
    expect(await world.onHost("/opt/cloudcode/bin/cloudcode-check | grep -P '\\tred\\t' || true")).toBe("");
    expect(await check()).toBe("success");
    expect(receivers.taken()).toEqual({ posts: [], mails: [] });
  });

  test("the timer posts and mails, once, what is red and what to do; its secrets are seen nowhere", async () => {
    let seen = "";
    receivers.whileSending(async () => {
      seen += await processes();
    });
    await world.onHost("docker stop cloudcode-auth-sessions-1");
    await world.onHost(`mkdir -p /run/systemd/system/cloudcode-alert.timer.d
      printf '[Timer]\\nOnCalendar=\\nOnActiveSec=1s\\nRandomizedDelaySec=0\\n' >/run/systemd/system/cloudcode-alert.timer.d/now.conf
      systemctl daemon-reload && systemctl restart cloudcode-alert.timer && sleep 3
      while systemctl is-active --quiet cloudcode-alert.service || [ "$(systemctl is-active cloudcode-alert.service)" = activating ]; do sleep 1; done`);
    await world.onHost("rm -r /run/systemd/system/cloudcode-alert.timer.d; systemctl daemon-reload");
    await world.onHost("systemctl restart cloudcode-alert.timer; docker start cloudcode-auth-sessions-1");
    const { posts, mails } = receivers.taken();
    const line = /^container auth\/sessions: exited.* -> read its last log lines: npm run ops -- logs auth$/m;
    expect(posts).toEqual([{ path: `/${alertSecrets.hookPath}`, text: expect.stringMatching(line) as string }]);
    expect(mails).toEqual([{ from: admin, to: [admin], encrypted: true, text: expect.stringMatching(line) as string }]);
    expect(mails[0]?.text).toMatch(/^Subject: cloudcode on \S+: something is red$/m);
    expect(seen).toContain("curl --config /opt/cloudcode/alerts/");
    const journal = await world.onHost("journalctl --no-pager -o cat; cat /var/log/cloudcode/*");
    for (const text of [seen, journal, await world.stateText()])
      for (const secret of Object.values(alertSecrets)) expect(text).not.toContain(secret);
    expect(await world.onHost("stat -c '%a %U' /opt/cloudcode/alerts/*.conf")).toBe("600 root\n600 root");
  });

  test("a mail that is not taken at first is sent again whole, and a server that is down fails the unit", async () => {
    await world.onHost("docker stop cloudcode-auth-sessions-1");
    receivers.refuse(1);
    expect(await check()).toBe("success");
    const { posts, mails } = receivers.taken();
    expect(posts).toHaveLength(1);
    expect(mails.map(({ text }) => text)).toEqual([expect.stringContaining("container auth/sessions: exited")]);
    receivers.refuse(Infinity);
    expect(await check()).toBe("exit-code");
    expect(receivers.taken()).toMatchObject({ posts: [{}], mails: [] });
    receivers.refuse(0);
    await world.onHost("docker start cloudcode-auth-sessions-1; systemctl reset-failed cloudcode-alert.service");
  });

  test("a Docker that hangs is reported, too", async () => {
    await world.onHost("systemctl kill --signal=STOP docker");
    expect(await check()).toBe("success");
    await world.onHost("systemctl kill --signal=CONT docker");
    const { posts, mails } = receivers.taken();
    for (const { text } of [...posts, ...mails])
      expect(text).toMatch(/^docker: does not answer -> npm run ops -- ssh, then systemctl restart docker/m);
    expect([posts.length, mails.length]).toEqual([1, 1]);
  });

  test("switched off again, timer and secrets are gone from the host", async () => {
    world.sandbox.configure({
      alertMail: undefined,
      alertWebhook: undefined,
      adminEmail: undefined,
      smtpAddress: undefined,
      smtpUsername: undefined,
      smtpPassword: undefined,
    });
    await world.up();
    expect(
      await world.onHost("ls /opt/cloudcode/alerts /etc/systemd/system/cloudcode-alert.* 2>/dev/null || true"),
    ).toBe("");
  });
}
