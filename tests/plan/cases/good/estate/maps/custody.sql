SELECT position, no AS "custodyNumber", ver AS "version" FROM message
