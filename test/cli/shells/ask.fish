# Completes lines by fish itself.
# Usage: fish --no-config ask.fish SCRIPT LINES
source $argv[1]
while read --line line
    complete --do-complete "$line" | cut -f1
    echo --next--
end <$argv[2]
exit 0
