SELECT position FROM message
