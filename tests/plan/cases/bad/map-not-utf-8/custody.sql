SELECT position, 'café' AS place FROM message
