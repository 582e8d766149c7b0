#!/bin/sh
# Brings the files of an image's skeleton into a home folder that outlives the image. A file that its user has changed or removed stays so;
# one that is still as an earlier image brought it becomes the new one.
# usage: skeleton.sh SKELETON HOME
set -eu
home=$2 brought=$2/.local/state/workplace/skeleton
cd "$1"
find . -type f | while read -r file; do
  if cmp -s "$file" "$brought/$file"; then continue; fi
  if ! cmp -s "$file" "$home/$file"; then
    if [ -e "$brought/$file" ]; then
      cmp -s "$home/$file" "$brought/$file" || continue
    elif [ -e "$home/$file" ] || [ -L "$home/$file" ]; then
      continue
    fi
    mkdir -p "$home/${file%/*}"
    cp -p --remove-destination "$file" "$home/$file"
  fi
  mkdir -p "$brought/${file%/*}"
  cp -p --remove-destination "$file" "$brought/$file"
done
