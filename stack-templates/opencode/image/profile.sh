# Programs without root: what npm, mise, uv and others install below home. Read by the entrypoint and by login shells, whose
# /etc/profile sets another PATH before.
export NPM_CONFIG_PREFIX="$HOME/.local"
export PATH="$HOME/.local/bin:$HOME/.local/share/mise/shims:$PATH"
