import type { Scene } from "./scene";

const sandboxOwn = "/etc/ssh/sshd_config.d/sandbox.conf";

/** Who gets into the machine afterwards, by sshd's own word and by a login. */
export function sshStep(scene: () => Scene): void {
  const words = (script: string) => scene().machine.words(script);
  const grants = (user: string, address = "192.0.2.1") =>
    words(
      `sshd -T -C user=${user},host=x,addr=${address},laddr=127.0.0.1,lport=22 | grep -E '^(passwordauth|kbdinter|permitroot|clientalive)' | sort`,
    );

  beforeAll(() => words(`mkdir -p /root/ssh && cp -a /etc/ssh/sshd_config ${sandboxOwn} /root/ssh/`));
  beforeEach(() =>
    words(`rm -f /etc/ssh/sshd_config.d/*; cp -a /root/ssh/sshd_config /etc/ssh/; systemctl restart ssh`),
  );
  afterAll(() =>
    words(
      `rm -f /etc/ssh/sshd_config.d/*; cp -a /root/ssh/sshd_config /etc/ssh/; cp -a /root/ssh/sandbox.conf ${sandboxOwn}; systemctl restart ssh`,
    ),
  );
  const withPasswords = "PasswordAuthentication yes\nKbdInteractiveAuthentication yes\nPermitRootLogin yes\n";

  it.each([
    [
      "that has password login on in a file read later",
      `printf '${withPasswords}' >/etc/ssh/sshd_config.d/50-cloud-init.conf`,
    ],
    [
      "that has password login on in a file read earlier",
      `printf '${withPasswords}' >/etc/ssh/sshd_config.d/01-first.conf`,
    ],
    [
      "whose sshd_config says yes before its Include",
      `{ printf '${withPasswords}'; cat /root/ssh/sshd_config; } >/etc/ssh/sshd_config`,
    ],
    [
      "whose sshd_config has no Include",
      `{ sed /Include/d /root/ssh/sshd_config; printf '${withPasswords}'; } >/etc/ssh/sshd_config`,
    ],
  ])("a machine %s takes keys only afterwards, at once", async (_name, state) => {
    await words(`${state}; systemctl restart ssh`);
    const before = await words(
      "sha256sum /etc/ssh/sshd_config | cut -d ' ' -f 1; sed /cloudcode/d /etc/ssh/sshd_config | sha256sum | cut -d ' ' -f 1",
    );
    expect((await grants("root")).split("\n")).toContain("passwordauthentication yes");
    expect(await scene().install()).toMatchObject({ ok: true });
    expect((await grants("root")).split("\n")).toEqual([
      "clientalivecountmax 40",
      "clientaliveinterval 15",
      "kbdinteractiveauthentication no",
      "passwordauthentication no",
      expect.stringMatching(/^permitrootlogin (without-password|prohibit-password)$/),
    ]);
    // The daemon that runs says so, too.
    expect(
      await words(
        "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PubkeyAuthentication=no -o BatchMode=yes root@127.0.0.1 true",
      ),
    ).toMatch(/Permission denied \(publickey\)/);
    // All that their owner wrote is still there.
    expect(await words("sed /cloudcode/d /etc/ssh/sshd_config | sha256sum | cut -d ' ' -f 1")).toBe(
      before.split("\n")[1],
    );
  });

  it("a Match block that lets anybody in by a password is named, and all is as before", async () => {
    await words(
      "printf 'Match Address *\\n PasswordAuthentication yes\\n' >>/etc/ssh/sshd_config; systemctl restart ssh",
    );
    const files = await scene().files();
    const { ok, said } = await scene().install();
    expect([ok, said.split("\n")[0]]).toEqual([
      false,
      "cloudcode: sshd still takes passwords from 192.0.2.1 for nobody, though /etc/ssh/sshd_config.d/10-cloudcode.conf says no: a Match block below /etc/ssh/sshd_config says so; take its PasswordAuthentication and KbdInteractiveAuthentication away",
    ]);
    expect(await scene().files()).toBe(files);
  });

  it("a Match block for some keeps what it gives them, and status names it", async () => {
    await words(
      "useradd sftp; printf 'Match User sftp\\n PasswordAuthentication yes\\n' >>/etc/ssh/sshd_config; systemctl restart ssh",
    );
    expect(await scene().install()).toMatchObject({ ok: true });
    expect((await grants("sftp")).split("\n")).toContain("passwordauthentication yes");
    expect(await words("/opt/cloudcode/bin/cloudcode-check | grep '^ssh login'")).toBe(
      "ssh login\tok\tby key only, but for Match User sftp",
    );
  });

  it("what is stricter than ours stays: no login of root, a key and a second factor, another interval", async () => {
    await words(
      "printf '%s\\n' 'PermitRootLogin no' 'ClientAliveInterval 99' 'AuthenticationMethods publickey,keyboard-interactive' 'KbdInteractiveAuthentication yes' >/etc/ssh/sshd_config.d/50-strict.conf; systemctl restart ssh",
    );
    expect(await scene().install()).toMatchObject({ ok: true });
    expect((await grants("admin")).split("\n")).toEqual([
      "clientalivecountmax 3",
      "clientaliveinterval 99",
      "kbdinteractiveauthentication yes",
      expect.stringMatching(/^passwordauthentication/),
      "permitrootlogin no",
    ]);
  });

  it("a configuration that sshd does not take already is reported, and not touched", async () => {
    await words("echo 'Nonsense yes' >/etc/ssh/sshd_config.d/50-broken.conf");
    const files = await scene().files();
    const { ok, said } = await scene().install();
    expect(ok).toBe(false);
    expect(said).toMatch(/sshd refuses its own configuration.*\n.*fix/);
    expect(await scene().files()).toBe(files);
  });

  it.each([
    ["::ffff:198.51.100.9 50000 127.0.0.1 22", '["198.51.100.0/24"]', true],
    ["2001:db8::7 50000 2001:db8::1 22", '["198.51.100.0/24","2001:db8::/64"]', true],
    ["2001:db8::7 50000 2001:db8::1 22", '["198.51.100.0/24"]', false],
    ["2001:db8:1::7 50000 2001:db8::1 22", '["0.0.0.0/0","2001:db8::/48"]', false],
    ["203.0.113.9 50000 127.0.0.1 22", '["198.51.100.0/24","::/0"]', false],
  ])("who comes from %s is not locked out by sshCidrs %s: %s", async (connection, sshCidrs, ok) => {
    const rules = "iptables -S INPUT; ip6tables -S INPUT";
    const before = await words(rules);
    const ended = await scene().install({ sshCidrs }, { connection });
    expect(ended.ok).toBe(ok);
    if (ok) {
      expect(await words("ip6tables -S CLOUDCODE-SSH | tail -n 1; iptables -S CLOUDCODE-SSH")).toBe(
        [
          "-A CLOUDCODE-SSH -j DROP",
          "-N CLOUDCODE-SSH",
          "-A CLOUDCODE-SSH -s 198.51.100.0/24 -j RETURN",
          "-A CLOUDCODE-SSH -j DROP",
        ].join("\n"),
      );
      // A removed setting gives back what it took.
      expect(await scene().install()).toMatchObject({ ok: true });
    } else {
      expect(ended.said).toContain(
        `sshCidrs does not contain ${connection.split(" ")[0] ?? ""}, the address you connect from`,
      );
    }
    expect(await words(rules)).toBe(before);
  });
}
